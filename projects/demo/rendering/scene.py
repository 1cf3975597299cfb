"""One demo clip: a table with things on it, a hand that does something, seen by the camera."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .camera import Camera
from .canvas import Sprite, paint, paint_shadow
from .hand import draw_hand, draw_look, hand_keypoints
from .motion import Start, draw_start, draw_track
from .nouns import NOUNS, draw_noun
from .parameters import DemoParameters

MARGIN = 0.25  # of background beyond the frame, in frame heights; the camera never leaves it
HAND_HEIGHT = 0.05  # above the table, for its shadow


@dataclass(frozen=True)
class Request:
    """What a clip shall show and for how long; `still` frames follow the labelled ones."""

    verb: str
    noun: str
    frames: int
    still: int
    entropy: tuple[int, ...]  # seeds everything else


@dataclass(frozen=True)
class Thing:
    """An object that lies still: its noun, sprite and place (2,)."""

    noun: str
    sprite: Sprite
    place: NDArray


class Scene:
    """A clip ready to be rendered frame by frame.

    Args:
        surfaces: Two table textures (h, w, 3) of the kitchen.
        size: Width and height of the frames in pixels.
    """

    def __init__(
        self,
        request: Request,
        surfaces: tuple[NDArray, NDArray],
        size: tuple[int, int],
        params: DemoParameters,
    ):
        # Separate streams: the verb's draws must not shift those of look, start and camera.
        look, begin, move, view = (
            np.random.default_rng((*request.entropy, stream)) for stream in range(4)
        )
        self.noun, self.size = request.noun, size
        aspect, height = size[0] / size[1], size[1]
        self.light = _draw_light(look)
        radius = look.uniform(*params.object_radius)
        self.target = draw_noun(self.noun, radius, height, self.light, look, params)
        hand = draw_look(look)
        self.hand, self.hand_keypoints = draw_hand(hand, height, self.light), hand_keypoints(hand)
        start = draw_start(aspect, begin, params)
        self.arm_turn = float(np.arctan2(start.arm[0], -start.arm[1]))
        self.things = _scatter(self.noun, radius, start, self.light, size, look, params)
        self.background = _background(surfaces, self.things, self.light, size, look)
        self.track = draw_track(
            request.verb, start, self.target.outline, request.frames, move, params
        )
        self.camera = Camera(request.frames + request.still, size, view, params)

    def frame(self, index: int) -> NDArray:
        """Render a frame (h, w, 3) BGR uint8."""
        view = self.camera.views[index]
        from_background = _then(view, np.array([[1, 0, -MARGIN], [0, 1, -MARGIN]], float))
        from_background[:, :2] /= self.size[1]
        from_background[:, 2] += from_background[:, :2] @ (0.5, 0.5) - 0.5
        image = cv2.warpAffine(
            self.background, from_background, self.size, borderMode=cv2.BORDER_REFLECT
        )
        height, (target, hand) = self._height(index), self._placements(index)
        under_target = self._shadow_offset(height) + (0, height)
        under_hand = self._shadow_offset(height + HAND_HEIGHT)
        paint_shadow(image, self.target.shadow, _then(view, _moved(target, under_target)))
        paint(image, self.target.bgra, _then(view, target))
        paint_shadow(image, self.hand.shadow, _then(view, _moved(hand, under_hand)))
        paint(image, self.hand.bgra, _then(view, hand))
        return self.camera.expose(image, index)

    def boxes(self, index: int) -> list[tuple[str, NDArray]]:
        """Class name and box (x1, y1, x2, y2) in pixels, not clipped: hand, target, the others."""
        target, hand = self._placements(index)
        placed = [('hand', self.hand, hand), (self.noun, self.target, target)]
        placed += [(t.noun, t.sprite, _moved(t.sprite.placement(), t.place)) for t in self.things]
        view, boxes = self.camera.views[index], []
        for name, sprite, placement in placed:
            affine = _then(view, placement)
            texels = sprite.outline * sprite.texels + sprite.anchor
            corners = texels @ affine[:, :2].T + affine[:, 2]
            boxes.append((name, np.concatenate((corners.min(0), corners.max(0)))))
        return boxes

    def keypoints(self, positions: NDArray) -> NDArray:
        """The hand's `KEYPOINTS` at fractional frames (S,), as fractions of the frame: (S, 5, 2).

        What is between two frames is interpolated. Points beyond the frame are reported as well.
        """
        cos, sin = np.cos(self.arm_turn), np.sin(self.arm_turn)
        turned = self.hand_keypoints @ np.array([[cos, sin], [-sin, cos]])
        placed = turned + _between(self.track.tips, positions)[:, None]
        views = _between(self.camera.views, positions)
        pixels = placed @ views[:, :, :2].transpose(0, 2, 1) + views[:, None, :, 2]
        return pixels / self.size

    def _height(self, index: int) -> float:
        return float(self.track.height[min(index, len(self.track.height) - 1)])

    def _placements(self, index: int) -> tuple[NDArray, NDArray]:
        """Affine maps of target and hand to frame heights; after the last frame they rest."""
        index = min(index, len(self.track.tips) - 1)
        target = self.target.placement(float(self.track.growth[index]))
        hand = self.hand.placement(1.0, self.arm_turn)
        return _moved(target, self.track.target[index]), _moved(hand, self.track.tips[index])

    def _shadow_offset(self, height: float) -> NDArray:
        return -self.light * (0.03 + 0.5 * height)


def _between(rows: NDArray, positions: NDArray) -> NDArray:
    """Rows (T, …) at fractional indices (S,), linearly; the last one holds beyond the end."""
    positions = np.clip(positions, 0, len(rows) - 1)
    before = np.floor(positions).astype(int)
    share = (positions - before).reshape(-1, *[1] * (rows.ndim - 1))
    return rows[before] * (1 - share) + rows[np.minimum(before + 1, len(rows) - 1)] * share


def _draw_light(rng: Generator) -> NDArray:
    """Direction (x, y) towards a lamp somewhere above the frame."""
    angle = np.deg2rad(rng.uniform(-155, -25))
    return np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(0.45, 0.85)


def _scatter(
    target_noun: str,
    radius: float,
    start: Start,
    light: NDArray,
    size: tuple[int, int],
    rng: Generator,
    params: DemoParameters,
) -> list[Thing]:
    """The companion and some distractors, none of the target's class, clear of each other."""
    others = [noun for noun in NOUNS if noun != target_noun]
    count = 1 + int(rng.integers(params.distractors[0], params.distractors[1] + 1))
    things: list[Thing] = []
    taken = [(start.target, radius)]
    for index in range(count):
        scale = params.distractor_scale if index else params.companion_scale
        small = radius * rng.uniform(*scale)
        place = _free_place(taken, small, size, rng) if index else start.companion
        noun = str(rng.choice(others))
        if place is not None:
            sprite = draw_noun(noun, small, size[1], light, rng, params)
            things.append(Thing(noun, sprite, place))
            taken.append((place, small))
    return things


def _free_place(
    taken: list[tuple[NDArray, float]], radius: float, size: tuple[int, int], rng: Generator
) -> NDArray | None:
    """A place that overlaps nothing, or None if a few tries find none."""
    for _ in range(8):
        place = rng.uniform(0.02, 0.98, 2) * (size[0] / size[1], 1)
        if all(np.linalg.norm(place - spot) > radius + other for spot, other in taken):
            return place
    return None


def _background(
    surfaces: tuple[NDArray, NDArray],
    things: list[Thing],
    light: NDArray,
    size: tuple[int, int],
    rng: Generator,
) -> NDArray:
    """Table, often a board or mat on it, and everything that lies still, with a margin around."""
    width, height = size[0] + 2 * MARGIN * size[1], size[1] * (1 + 2 * MARGIN)
    extent = (int(np.ceil(width)), int(np.ceil(height)))
    image = _laid(surfaces[0], extent, rng)
    if rng.uniform() < 0.6:
        _lay_mat(image, _laid(surfaces[1], extent, rng), light, size[1], rng)
    to_pixels = size[1] * np.array([[1, 0, MARGIN], [0, 1, MARGIN]])
    for thing in things:
        placement = _moved(thing.sprite.placement(), thing.place)
        fallen = _moved(placement, -0.035 * light)
        paint_shadow(image, thing.sprite.shadow, _then(to_pixels, fallen))
        paint(image, thing.sprite.bgra, _then(to_pixels, placement))
    return image


def _laid(surface: NDArray, extent: tuple[int, int], rng: Generator) -> NDArray:
    """A turned and shifted view of a texture."""
    height, width = surface.shape[:2]
    turn, scale = rng.uniform(-35, 35), extent[0] / width * rng.uniform(1.2, 1.5)
    affine = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    affine[:, 2] += np.array(extent) / 2 - (width / 2, height / 2)
    affine[:, 2] += rng.uniform(-0.15, 0.15, 2) * extent
    return cv2.warpAffine(surface, affine, extent, borderMode=cv2.BORDER_REFLECT)


def _lay_mat(image: NDArray, mat: NDArray, light: NDArray, unit: int, rng: Generator) -> None:
    """Put a turned rectangle of another surface on the table, with a soft shadow; in place."""
    centre = rng.uniform(0.1, 0.9, 2) * image.shape[1::-1]
    corners = cv2.boxPoints((centre, rng.uniform(0.5, 1.2, 2) * unit, rng.uniform(-40, 40)))
    for shift, blur, source in (
        (-0.03 * light * unit, 0.02 * unit, image * 0.45),
        (0, 0.004 * unit, mat),
    ):
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, np.round((corners + shift) * 16).astype(int), 255, cv2.LINE_AA, 4)
        share = cv2.GaussianBlur(mask, (0, 0), max(blur, 0.5))[..., None] / np.float32(255)
        image[:] = image * (1 - share) + source * share


def _moved(affine: NDArray, shift: NDArray) -> NDArray:
    moved = affine.copy()
    moved[:, 2] += shift
    return moved


def _then(outer: NDArray, inner: NDArray) -> NDArray:
    """The affine map that applies `inner`, then `outer`."""
    combined = outer[:, :2] @ inner
    combined[:, 2] += outer[:, 2]
    return combined
