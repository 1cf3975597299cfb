"""A bright square that moves over noise: frames of which flow and boxes are known exactly.

Shape legend: F = frames.
"""

from typing import NamedTuple

import cv2
import numpy as np

# The shape of EPIC-KITCHENS' published frames, 456 x 256, at a quarter.
HEIGHT, WIDTH, SIDE = 64, 114, 24
RADIUS = 6  # of the hand, a disc in the middle of the square


class Scene(NamedTuple):
    """Frames (F, H, W, 3) uint8 RGB, flow (F, H, W, 2) and boxes (F, 4) in pixels."""

    frames: np.ndarray
    flow: np.ndarray
    squares_F4: np.ndarray
    discs_F4: np.ndarray


def draw_scene(num_frames: int, seed: int, step: int = 1) -> Scene:
    """A scene; every `step`-th position of the same path, so that rates can differ."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(60, 120, (HEIGHT // 4, WIDTH // 4, 3), dtype=np.uint8)
    ground = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    colour = rng.integers(160, 256, 3)
    moments = np.arange(num_frames + 1) * step + 40 * seed
    left = _to_and_fro(moments, WIDTH - SIDE)
    top = _to_and_fro(moments // 2, HEIGHT - SIDE)
    frames = np.tile(ground, (num_frames, 1, 1, 1))
    flow = np.zeros((num_frames, HEIGHT, WIDTH, 2), np.float32)
    for i in range(num_frames):
        part = np.s_[i, top[i] : top[i] + SIDE, left[i] : left[i] + SIDE]
        frames[part] = colour
        flow[part] = left[i + 1] - left[i], top[i + 1] - top[i]
        centre = (int(left[i]) + SIDE // 2, int(top[i]) + SIDE // 2)
        cv2.circle(frames[i], centre, RADIUS, (220, 170, 140), -1)
    corner = np.stack([left, top, left, top], axis=1)[:-1]
    middle = SIDE // 2
    disc = (middle - RADIUS, middle - RADIUS, middle + RADIUS, middle + RADIUS)
    return Scene(frames, flow, corner + (0, 0, SIDE, SIDE), corner + disc)


def _to_and_fro(moments: np.ndarray, length: int) -> np.ndarray:
    return length - np.abs(moments % (2 * length) - length)
