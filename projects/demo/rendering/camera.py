"""The demo's camera: a head that drifts and sways, uneven light, a noisy sensor."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .parameters import DemoParameters


class Camera:
    """What lies between the scene and the recorded frame, for one clip.

    Args:
        frames: How many frames the clip has.
        size: Width and height of the frame in pixels.
    """

    def __init__(self, frames: int, size: tuple[int, int], rng: Generator, params: DemoParameters):
        self.size = size
        self.views = _head_motion(frames, size, rng, params)
        self.light = _light_map(size, rng, params)
        self.flicker = 1 + params.flicker * rng.standard_normal(frames)
        width, height = size
        # One field per clip, read at a random offset per frame: as good as new noise, and cheap.
        field = rng.standard_normal((height + height // 2, width + width // 2, 3), dtype=np.float32)
        self.noise = np.round(field * rng.uniform(*params.noise)).astype(np.int16)
        shifts = rng.integers(0, (height // 2, width // 2), (frames, 2))
        self.noise_at = [tuple(int(value) for value in shift) for shift in shifts]

    def expose(self, scene: NDArray, index: int) -> NDArray:
        """Light, flicker and noise on a scene image (h, w, 3) uint8; returns the frame."""
        width, height = self.size
        top, left = self.noise_at[index]
        noise = self.noise[top : top + height, left : left + width]
        frame = cv2.multiply(scene, self.light, scale=self.flicker[index] / 128)
        return cv2.add(frame, noise, dtype=cv2.CV_8U)


def _head_motion(
    frames: int, size: tuple[int, int], rng: Generator, params: DemoParameters
) -> NDArray:
    """Affine maps (frames, 2, 3), frame heights to pixels: drift, waves, jitter, roll, zoom."""
    width, height = size
    time = np.arange(frames) / max(frames - 1, 1)
    shift = (time[:, None] - 0.5) * rng.uniform(-1, 1, 2) * params.camera_drift
    for _ in range(2):
        phase = time[:, None] * rng.uniform(0.4, 2.0, 2) + rng.uniform(0, 1, 2)
        shift += params.camera_sway * rng.uniform(0, 1, 2) * np.sin(2 * np.pi * phase)
    shift += rng.normal(0, params.camera_jitter, (frames, 2))
    swing = np.sin(2 * np.pi * (time * rng.uniform(0.3, 1.2) + rng.uniform()))
    roll = np.deg2rad(params.camera_roll * rng.uniform(-1, 1) * swing)
    zoom = 1 + params.camera_zoom * rng.uniform(-1, 1) * (2 * time - 1)
    centre = np.array([width / height / 2, 0.5])
    views = np.empty((frames, 2, 3))
    for index in range(frames):
        cos, sin = np.cos(roll[index]), np.sin(roll[index])
        linear = zoom[index] * np.array([[cos, -sin], [sin, cos]])
        offset = centre + shift[index] - linear @ centre
        views[index] = height * np.column_stack((linear, offset))
    return views


def _light_map(size: tuple[int, int], rng: Generator, params: DemoParameters) -> NDArray:
    """Brightness (h, w, 3) uint8, 128 = unchanged: gain, warmth, a gradient, a vignette."""
    width, height = size
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, params.gradient)
    light = 1 + slope * (np.cos(angle) * x + np.sin(angle) * y)
    light *= 1 - rng.uniform(*params.vignette) * (x**2 + y**2) / 2
    warmth = rng.uniform(-1, 1) * params.warmth
    tint = np.array([1 - warmth, 1.0, 1 + warmth], np.float32)
    light = light[..., None] * tint * rng.uniform(*params.gain)
    return np.clip(light * 128, 0, 255).astype(np.uint8)
