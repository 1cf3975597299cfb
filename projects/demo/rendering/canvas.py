"""Drawing of sprites: antialiased shapes on a supersampled canvas, shading, painting on a frame.

Coordinates are (x, y) with y down; a canvas maps its own units to pixels by a 2x2 matrix and an
origin. Colours are BGR in 0..255.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Colour = tuple[float, float, float]

DRAW_DENSITY = 2.5  # canvas pixels per frame pixel while drawing
STORE_DENSITY = 1.5  # sprite pixels per frame pixel; bilinear warps of it stay sharp and smooth
SHADOW = 0.6  # darkest alpha of a shadow
_SHIFT = 4  # fractional bits of OpenCV's drawing coordinates
_ANGLES = np.linspace(0, 2 * np.pi, 40, endpoint=False)
_CIRCLE = np.column_stack((np.cos(_ANGLES), np.sin(_ANGLES)))


@dataclass(frozen=True)
class Sprite:
    """An object to be pasted: `bgra` (h, w, 4) premultiplied, and `shadow` (h, w), its soft alpha.

    `texels` is pixels per unit, `anchor` the pixel of the sprite's origin, `outline` (P, 2) the
    convex hull around the origin in units.
    """

    bgra: NDArray
    shadow: NDArray
    anchor: tuple[float, float]
    texels: float
    outline: NDArray

    def placement(self, scale: float = 1.0, rotation: float = 0.0) -> NDArray:
        """Affine 2x3 from sprite pixels to units, the origin at (0, 0); `rotation` in radians."""
        cos, sin = np.cos(rotation) * scale / self.texels, np.sin(rotation) * scale / self.texels
        x, y = self.anchor
        return np.array([[cos, -sin, sin * y - cos * x], [sin, cos, -sin * x - cos * y]])


class Canvas:
    """A supersampled BGR image with a mask of what has been drawn solid.

    `solid` collects the solid shapes' points in units, after the transform; the outline of the
    sprite is their convex hull. Clear it to leave out what has been drawn so far.

    Args:
        extent: Left, top, right, bottom in units.
        pixels: Canvas pixels per unit.
        transform: 2x2 matrix applied to every point before it is drawn (rotation, stretch).
    """

    def __init__(self, extent: ArrayLike, pixels: float, transform: ArrayLike | None = None):
        left, top, right, bottom = extent
        self.pixels = pixels
        self.origin = np.array([-left, -top]) * pixels
        self.transform = np.eye(2) if transform is None else np.asarray(transform)
        self.line_scale = float(np.sqrt(abs(np.linalg.det(self.transform))))
        self.solid: list[NDArray] = []
        shape = (int(np.ceil((bottom - top) * pixels)), int(np.ceil((right - left) * pixels)))
        self.bgr = np.zeros((*shape, 3), np.uint8)
        self.mask = np.zeros(shape, np.uint8)

    def points(self, points: ArrayLike) -> NDArray:
        """Units (P, 2) to the fixed-point pixels that OpenCV draws."""
        pixels = np.asarray(points, np.float64) @ self.transform.T * self.pixels + self.origin
        return np.round((pixels - 0.5) * (1 << _SHIFT)).astype(np.int32)

    def polygon(self, points: ArrayLike, colour: Colour, solid: bool = True) -> None:
        """Fill a polygon; what is not `solid` paints on the surface without growing the mask."""
        corners = [self.points(points)]
        # Hard edges where the mask ends: the shrinking smooths them without a dark fringe.
        cv2.fillPoly(self.bgr, corners, colour, cv2.LINE_8 if solid else cv2.LINE_AA, _SHIFT)
        if solid:
            cv2.fillPoly(self.mask, corners, 255, cv2.LINE_8, _SHIFT)
            self.solid.append(np.asarray(points) @ self.transform.T)

    def disc(self, centre: ArrayLike, radius: ArrayLike, colour: Colour, solid: bool = True):
        """Fill a disc or, with two radii, an ellipse along the canvas's axes."""
        self.polygon(np.asarray(centre) + _CIRCLE * np.asarray(radius), colour, solid)

    def stroke(self, points: ArrayLike, width: float, colour: Colour, solid: bool = True) -> None:
        """Draw a line of round ends through the points, `width` in the points' units."""
        pixels = max(1, round(width * self.line_scale * self.pixels))
        line, edge = [self.points(points)], cv2.LINE_8 if solid else cv2.LINE_AA
        cv2.polylines(self.bgr, line, False, colour, pixels, edge, _SHIFT)
        if solid:
            cv2.polylines(self.mask, line, False, 255, pixels, cv2.LINE_8, _SHIFT)
            rim = _CIRCLE[::4] * (width * self.line_scale / 2)
            spine = np.asarray(points) @ self.transform.T
            self.solid.append((spine[:, None] + rim).reshape(-1, 2))

    def sprite(self, light: ArrayLike, bevel: float, gloss: float, blur: float) -> Sprite:
        """Shade what was drawn, shrink it to its stored density and add its shadow.

        Args:
            light: Direction (x, y) towards the light; its length is how slanted it falls.
            bevel: Width in units over which the surface curves down to its outline.
            gloss: Strength of the highlight, 0 to 1.
            blur: Standard deviation of the shadow's edge in units.
        """
        shrink = STORE_DENSITY / DRAW_DENSITY
        lit = shade(self.bgr, self.mask, light, bevel * self.pixels, gloss)
        alpha = self.mask[..., None].astype(np.float32) / 255
        bgra = np.concatenate((lit * alpha, alpha * 255), axis=2)
        bgra = cv2.resize(bgra, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        shadow = cv2.GaussianBlur(bgra[..., 3], (0, 0), blur * self.pixels * shrink) * SHADOW
        hull = cv2.convexHull(np.concatenate(self.solid).astype(np.float32))
        return Sprite(
            bgra=np.round(bgra).astype(np.uint8),
            shadow=np.round(shadow).astype(np.uint8),
            anchor=tuple(self.origin * shrink),
            texels=self.pixels * shrink,
            outline=hull.reshape(-1, 2).astype(np.float64),
        )


def shade(bgr: NDArray, mask: NDArray, light: ArrayLike, bevel: float, gloss: float) -> NDArray:
    """Light a flat drawing as if its outline were rounded off over `bevel` pixels; float32 BGR."""
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    slope = 1 - np.minimum(inside / bevel, 1)
    height = cv2.GaussianBlur(np.sqrt(1 - slope**2) * bevel, (0, 0), max(bevel / 5, 0.6))
    dx = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8)
    dy = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8)
    facing = (1 - dx * light[0] - dy * light[1]) / np.sqrt(1 + dx**2 + dy**2)
    facing /= np.sqrt(1 + light[0] ** 2 + light[1] ** 2)
    diffuse = 0.35 + 0.72 * np.clip(facing, 0, 1)
    lit = bgr * diffuse[..., None]
    if gloss:
        sheen = np.maximum(facing, 0) * (inside < 1.6 * bevel)
        for _ in range(5):  # to the power of 32
            sheen = np.square(sheen)
        lit += (150 * gloss * sheen)[..., None]
    return np.clip(lit, 0, 255, out=lit)


def paint(frame: NDArray, bgra: NDArray, affine: NDArray) -> None:
    """Blend a premultiplied sprite onto `frame` in place; `affine` 2x3, sprite to frame pixels."""
    target, patch = _overlap(frame, bgra, affine)
    if target.size:
        b, g, r, alpha = cv2.split(patch)
        _dim(target, alpha)
        cv2.add(target, cv2.merge((b, g, r)), dst=target)


def paint_shadow(frame: NDArray, alpha: NDArray, affine: NDArray) -> None:
    """Darken `frame` in place by a sprite's shadow (h, w); `affine` as for `paint`."""
    target, patch = _overlap(frame, alpha, affine)
    if target.size:
        _dim(target, patch)


def _dim(target: NDArray, alpha: NDArray) -> None:
    clear = cv2.bitwise_not(alpha)
    cv2.multiply(target, cv2.merge((clear, clear, clear)), dst=target, scale=1 / 255)


def _overlap(frame: NDArray, image: NDArray, affine: NDArray) -> tuple[NDArray, NDArray]:
    """The part of the frame that the warped image can touch, and the image warped onto it."""
    height, width = image.shape[:2]
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ affine.T
    low, high = corners.min(0), corners.max(0)
    left, top = max(int(low[0]), 0), max(int(low[1]), 0)
    right, bottom = (max(min(int(high[k]) + 2, frame.shape[1 - k]), 0) for k in (0, 1))
    target = frame[top:bottom, left:right]
    if not target.size:
        return target, target
    # Pixel centres lie at halves in our coordinates and at integers in OpenCV's.
    local = affine.copy()
    local[:, 2] += affine[:, :2] @ (0.5, 0.5) - 0.5 - (left, top)
    return target, cv2.warpAffine(image, local, (right - left, bottom - top))


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """A BGR colour from hue in turns and saturation and value in 0..1."""
    channels = []
    for offset in (1, 3, 5):
        sector = (offset + 6 * hue) % 6
        channels.append(255 * value * (1 - saturation * max(0, min(sector, 4 - sector, 1))))
    return tuple(float(channel) for channel in channels)


def tinted(colour: Colour, factor: float) -> Colour:
    """The colour made darker (factor < 1) or lighter."""
    return tuple(float(np.clip(c * factor, 0, 255)) for c in colour)
