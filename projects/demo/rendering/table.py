"""Surfaces the demo's objects stand on: wood, tiles, stone, cloth, with a participant's colours."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .canvas import hsv


@dataclass(frozen=True)
class KitchenStyle:
    """A participant's kitchen: two kinds of surface, each with its colour (BGR)."""

    kinds: tuple[str, str]
    colours: tuple[NDArray, NDArray]


def fractal(rng: Generator, shape: tuple[int, int], cells: tuple[float, float], octaves: int):
    """Smooth noise (h, w) float32 of about unit range; `cells` = coarsest grid (rows, columns)."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        rows, columns = (max(2, round(c * 2**octave)) for c in cells)
        grid = rng.standard_normal((rows, columns), dtype=np.float32)
        total += cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC) * 0.5**octave
    return total


def _wood(rng: Generator, x: NDArray, y: NDArray) -> NDArray:
    """Planks with grain along x, dark seams between them."""
    plank = np.floor(y / 0.34)
    tone = rng.uniform(-0.10, 0.10, 64)[plank.astype(int) % 64].astype(np.float32)
    bend = fractal(rng, x.shape, (10, 3), 2)
    grain = np.sin(2 * np.pi * (y * 14 + 0.9 * bend))
    fine = fractal(rng, x.shape, (160, 6), 1)
    seam = np.abs(y / 0.34 - plank - 0.5) > 0.485
    return 1 + tone + 0.07 * grain + 0.06 * fine - 0.45 * seam


def _tiles(rng: Generator, x: NDArray, y: NDArray) -> NDArray:
    """Square tiles of slightly different tones with light or dark joints."""
    size = rng.uniform(0.28, 0.44)
    column, row = np.floor(x / size).astype(int), np.floor(y / size).astype(int)
    tone = rng.uniform(-0.12, 0.12, (32, 32)).astype(np.float32)[row % 32, column % 32]
    edge = np.maximum(np.abs(x / size - column - 0.5), np.abs(y / size - row - 0.5))
    joint = np.clip((edge - 0.46) * 60, 0, 1) * rng.choice([-0.5, 0.35])
    return 1 + tone + joint + 0.03 * fractal(rng, x.shape, (40, 50), 2)


def _stone(rng: Generator, x: NDArray, y: NDArray) -> NDArray:
    """Polished stone: cloudy, with thin veins and grains."""
    clouds = fractal(rng, x.shape, (3, 4), 4)
    veins = np.exp(-25 * np.abs(fractal(rng, x.shape, (3, 3), 3)))
    return 1 + 0.07 * clouds - 0.35 * veins + 0.05 * fractal(rng, x.shape, (120, 150), 1)


def _cloth(rng: Generator, x: NDArray, y: NDArray) -> NDArray:
    """A checked tablecloth with a weave."""
    period = rng.uniform(0.16, 0.30)
    stripes = ((x / period) % 1 < 0.5).astype(np.float32) + ((y / period) % 1 < 0.5)
    weave = 0.05 * np.sin(x * 260) * np.sin(y * 260)
    return 0.72 + 0.22 * stripes + weave + 0.05 * fractal(rng, x.shape, (4, 5), 2)


SURFACES: dict[str, Callable[[Generator, NDArray, NDArray], NDArray]] = {
    'wood': _wood,
    'tiles': _tiles,
    'stone': _stone,
    'cloth': _cloth,
}


def draw_style(rng: Generator) -> KitchenStyle:
    """A kitchen by chance."""
    kinds = tuple(str(kind) for kind in rng.choice(list(SURFACES), 2, replace=False))
    return KitchenStyle(kinds, (_surface_colour(kinds[0], rng), _surface_colour(kinds[1], rng)))


def _surface_colour(kind: str, rng: Generator) -> NDArray:
    if kind == 'wood':
        return np.array(hsv(rng.uniform(0.04, 0.10), rng.uniform(0.3, 0.65), rng.uniform(0.4, 0.8)))
    return np.array(hsv(rng.uniform(), rng.uniform(0.03, 0.40), rng.uniform(0.40, 0.85)))


def draw_surface(
    style: KitchenStyle, which: int, shape: tuple[int, int], rng: Generator
) -> NDArray:
    """Texture (h, w, 3) uint8 of the kitchen's first or second surface, 2.4 units wide."""
    xs = np.linspace(0, 2.4, shape[1], dtype=np.float32)
    ys = np.linspace(0, 2.4 * shape[0] / shape[1], shape[0], dtype=np.float32)
    x, y = np.meshgrid(xs, ys)
    tone = SURFACES[style.kinds[which]](rng, x, y)
    colour = style.colours[which] * rng.uniform(0.88, 1.12)
    image = tone[..., None] * colour.astype(np.float32)
    return np.clip(image, 0, 255).astype(np.uint8)
