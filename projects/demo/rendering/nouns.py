"""The nouns of the demo: kitchen things told apart by shape and texture, in varying colours.

Each painter draws around the origin, within a radius of one unit, pointing up where it has an up.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .canvas import DRAW_DENSITY, Canvas, Colour, Sprite, hsv, tinted
from .parameters import DemoParameters

CREAM = (205.0, 225.0, 235.0)
DARK = (38.0, 34.0, 34.0)


def _plate(canvas: Canvas, colour: Colour, rng: Generator) -> None:
    """Concentric rings; dots along the rim."""
    canvas.disc((0, 0), 0.95, CREAM)
    canvas.disc((0, 0), 0.88, colour, solid=False)
    canvas.disc((0, 0), 0.70, CREAM, solid=False)
    canvas.disc((0, 0), 0.58, tinted(CREAM, 0.86), solid=False)
    canvas.disc((0.03, 0.03), 0.52, CREAM, solid=False)
    for angle in np.arange(12) * np.pi / 6 + rng.uniform(0, 0.5):
        canvas.disc((0.79 * np.cos(angle), 0.79 * np.sin(angle)), 0.055, CREAM, solid=False)


def _mug(canvas: Canvas, colour: Colour, rng: Generator) -> None:
    """Seen from above: a handle to the side, a rim, coffee with a light spot."""
    side = rng.choice([-1, 1])
    angle = np.linspace(-1.9, 1.9, 14)
    handle = np.column_stack((side * (0.46 + 0.38 * np.cos(angle)), 0.36 * np.sin(angle)))
    canvas.stroke(handle, 0.21, tinted(colour, 0.9))
    canvas.disc((-0.15 * side, 0), 0.68, colour)
    canvas.disc((-0.15 * side, 0), 0.56, tinted(colour, 0.55), solid=False)
    canvas.disc((-0.15 * side, 0.03), 0.50, (30, 52, 84), solid=False)
    canvas.disc((-0.15 * side - 0.12, -0.14), (0.20, 0.12), (92, 130, 172), solid=False)


def _bottle(canvas: Canvas, colour: Colour, rng: Generator) -> None:
    """A long body with shoulders, neck, cap and a printed label."""
    body = [(-0.36, 0.95), (-0.38, -0.15), (-0.14, -0.48), (-0.14, -0.80)]
    canvas.polygon(body + [(-x, y) for x, y in body[::-1]], colour)
    canvas.polygon([(-0.18, -0.95), (0.18, -0.95), (0.18, -0.76), (-0.18, -0.76)], DARK)
    label = [(-0.37, 0.05), (0.37, 0.05), (0.37, 0.68), (-0.37, 0.68)]
    canvas.polygon(label, CREAM, solid=False)
    mark = hsv(rng.uniform(), 0.7, 0.7)
    canvas.disc((0, 0.28), (0.2, 0.13), mark, solid=False)
    for y in (0.49, 0.59):
        canvas.stroke([(-0.25, y), (0.25, y)], 0.045, mark, solid=False)
    canvas.stroke([(-0.24, 0.0), (-0.24, -0.16)], 0.07, tinted(colour, 1.7), solid=False)


def _pan(canvas: Canvas, colour: Colour, rng: Generator) -> None:
    """Dark iron with a light wall and a long coloured handle."""
    canvas.stroke([(0, -0.1), (0, -0.88)], 0.22, colour)
    canvas.disc((0, -0.84), 0.05, DARK, solid=False)
    canvas.disc((0, 0.32), 0.62, (118, 114, 110))
    canvas.disc((0, 0.32), 0.54, (44, 42, 42), solid=False)
    canvas.disc((0.03, 0.36), 0.42, (66, 62, 62), solid=False)
    for radius in rng.uniform(0.12, 0.36, 2):
        angle = np.linspace(*np.sort(rng.uniform(0, 2 * np.pi, 2)), 12)
        arc = np.column_stack((radius * np.cos(angle), 0.34 + radius * np.sin(angle)))
        canvas.stroke(arc, 0.03, (104, 100, 100), solid=False)


def _sponge(canvas: Canvas, colour: Colour, rng: Generator) -> None:
    """A soft block full of holes, with a scouring layer along one side."""
    corner = np.linspace(0, np.pi / 2, 5)
    arc = 0.16 * np.column_stack((np.cos(corner), np.sin(corner)))
    quarter = [arc, arc[::-1] * (-1, 1), -arc, arc[::-1] * (1, -1)]
    centres = [(0.76, 0.40), (-0.76, 0.40), (-0.76, -0.40), (0.76, -0.40)]
    block = np.concatenate([c + q for c, q in zip(centres, quarter, strict=True)])
    canvas.polygon(block, colour)
    scour = [(-0.92, -0.56), (0.92, -0.56), (0.92, -0.26), (-0.92, -0.26)]
    canvas.polygon(scour, (70, 110, 50), solid=False)
    for x, y in zip(rng.uniform(-0.8, 0.8, 34), rng.uniform(-0.14, 0.5, 34), strict=True):
        canvas.disc((x, y), rng.uniform(0.03, 0.075), tinted(colour, 0.55), solid=False)


def _carrot(canvas: Canvas, colour: Colour, rng: Generator) -> None:
    """A ringed taper with a bunch of leaves."""
    for x in (-0.30, -0.12, 0.12, 0.30):
        leaf = [(0, -0.36), (0.7 * x, -0.66), (x, -0.90 + 0.3 * abs(x))]
        canvas.stroke(leaf, 0.15, hsv(0.30 + 0.2 * abs(x), 0.75, rng.uniform(0.45, 0.65)))
    root = [
        (-0.34, -0.30),
        (-0.22, -0.44),
        (0.22, -0.44),
        (0.34, -0.30),
        (0.05, 0.92),
        (-0.05, 0.92),
    ]
    canvas.polygon(root, colour)
    for y in np.linspace(-0.22, 0.62, 6) + rng.uniform(-0.04, 0.04, 6):
        half = 0.33 * (0.95 - y) / 1.25
        start = rng.choice([-1, 1]) * half
        canvas.stroke([(start, y), (-0.1 * start, y + 0.04)], 0.05, tinted(colour, 0.6), False)


def _cookie(canvas: Canvas, colour: Colour, rng: Generator) -> None:
    """A wobbly round with dark chips; no rim."""
    angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    wobble = 0.84 + 0.05 * np.sin(3 * angle + rng.uniform(0, 6)) + 0.03 * np.sin(7 * angle)
    edge = np.column_stack((np.cos(angle), np.sin(angle))) * wobble[:, None]
    canvas.polygon(edge, colour)
    canvas.polygon(edge * 0.86, tinted(colour, 1.15), solid=False)
    ring = np.concatenate(([0.0], np.repeat(0.36, 4), np.repeat(0.64, 7)))
    turn = np.concatenate(([0.0], np.arange(4) * np.pi / 2, np.arange(7) * 2 * np.pi / 7))
    for radius, turned in zip(ring, turn + rng.normal(0, 0.12, 12), strict=True):
        centre = radius * np.cos(turned), radius * np.sin(turned)
        canvas.disc(centre, rng.uniform(0.09, 0.13, 2), (24, 34, 58), solid=False)


def _banana(canvas: Canvas, colour: Colour, rng: Generator) -> None:
    """A crescent with ridges and dark tips."""
    angle = np.linspace(-1.25, 1.25, 24)
    width = 0.27 * np.sqrt(np.clip(1 - (angle / 1.35) ** 2, 0, 1)) + 0.03
    outward = np.column_stack((np.sin(angle), np.cos(angle)))
    centre = np.array([0, -0.55]) + outward * 0.86
    outer, inner = centre + outward * width[:, None], centre - outward * width[:, None]
    canvas.polygon(np.concatenate((outer, inner[::-1])), colour)
    canvas.stroke(centre - outward * 0.04, 0.05, tinted(colour, 0.72), solid=False)
    for tip in (centre[:2], centre[-2:]):
        canvas.stroke(tip, 0.14, (40, 62, 82))
    for spot in centre[rng.integers(4, 20, 3)]:
        canvas.disc(spot + rng.uniform(-0.1, 0.1, 2), (0.05, 0.03), (50, 78, 100), solid=False)


@dataclass(frozen=True)
class Noun:
    """How a class is drawn: painter, usual hue in turns, saturation, value; gloss; its category."""

    paint: Callable[[Canvas, Colour, Generator], None]
    hue: float
    saturation: float
    value: float
    gloss: float
    category: str  # as EPIC-KITCHENS groups its nouns


NOUNS: dict[str, Noun] = {
    'plate': Noun(_plate, 0.60, 0.60, 0.70, 0.5, 'crockery'),
    'sponge': Noun(_sponge, 0.14, 0.65, 0.90, 0.0, 'cleaning equipment and material'),
    'mug': Noun(_mug, 0.00, 0.70, 0.80, 0.6, 'crockery'),
    'carrot': Noun(_carrot, 0.06, 0.85, 0.95, 0.2, 'vegetables'),
    'pan': Noun(_pan, 0.02, 0.75, 0.70, 0.4, 'cookware'),
    'bottle': Noun(_bottle, 0.38, 0.65, 0.55, 0.8, 'containers'),
    'cookie': Noun(_cookie, 0.08, 0.55, 0.75, 0.0, 'baked goods and grains'),
    'banana': Noun(_banana, 0.15, 0.80, 0.92, 0.2, 'fruits and nuts'),
}


def draw_noun(
    name: str, radius: float, height: int, light: NDArray, rng: Generator, params: DemoParameters
) -> Sprite:
    """One individual of a noun class, turned, stretched and coloured by chance.

    Args:
        radius: Size in frame heights.
        height: Of the frame in pixels.
        light: Direction (x, y) towards the light.
    """
    kind = NOUNS[name]
    usual = rng.uniform() >= params.random_hue
    hue = kind.hue + rng.normal(0, 0.03) if usual else rng.uniform()
    saturation, value = kind.saturation * rng.uniform(0.8, 1.15), kind.value * rng.uniform(0.8, 1.1)
    colour = hsv(hue, min(saturation, 1), min(value, 1))
    turn = np.deg2rad(rng.uniform(-1, 1) * params.object_rotation)
    cos, sin = np.cos(turn), np.sin(turn)
    stretch = np.diag([rng.uniform(*params.object_stretch), 1.0])
    transform = radius * np.array([[cos, -sin], [sin, cos]]) @ stretch
    reach = 1.25 * radius
    canvas = Canvas((-reach, -reach, reach, reach), DRAW_DENSITY * height, transform)
    kind.paint(canvas, colour, rng)
    return canvas.sprite(light, 0.13 * radius, kind.gloss, 0.09 * radius)
