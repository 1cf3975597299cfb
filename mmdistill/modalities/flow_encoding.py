"""Optical flow in pixels to 8 bits and back, as extraction stores it and the modality reads it."""

import cv2
import numpy as np

from ..ranges import POSITIVE

# Largest displacement that is stored, in pixels at the stored resolution; more is clipped.
DEFAULT_BOUND = 20.0
NO_MOTION = 128


def encode_flow(flow_HW2: np.ndarray, bound: float = DEFAULT_BOUND) -> np.ndarray:
    """Displacements in pixels to uint8: 128 is no motion, 1 and 255 are -bound and +bound.

    Works on any shape. One step is bound / 127 pixels (0.16 at the default bound).

    Raises:
        ValueError: If `bound` is not positive.
    """
    steps = np.rint(np.asarray(flow_HW2) / _step(bound))
    return np.clip(steps + NO_MOTION, 1, 255).astype(np.uint8)


def decode_flow(encoded_HW2: np.ndarray, bound: float = DEFAULT_BOUND) -> np.ndarray:
    """The displacements in pixels (float32) that `encode_flow` stored.

    Raises:
        ValueError: If `bound` is not positive.
    """
    return (np.asarray(encoded_HW2).astype(np.float32) - NO_MOTION) * np.float32(_step(bound))


def flow_image(u_HW: np.ndarray, v_HW: np.ndarray, channels: int = 2) -> np.ndarray:
    """The two planes of encoded flow as one image (H, W, channels); a third one says no motion."""
    third = [np.full_like(u_HW, NO_MOTION)] * (channels - 2)
    return cv2.merge([u_HW, v_HW, *third])


def _step(bound: float) -> float:
    POSITIVE.check(bound=bound)
    return bound / (255 - NO_MOTION)
