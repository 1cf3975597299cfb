"""Pictures of single clips: a strip of frames, their flow in colour, the detected boxes.

Shape legend: T = frames of a strip, N = boxes of a frame.
"""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from ..metrics import ScoreTable
from ..modalities import DetectionModality, FlowModality, ImageModality, Modality
from ..modalities.flow_encoding import decode_flow
from .predictions import predictions

# Boxes of one class keep their colour; well apart in hue, readable on dark and light ground (RGB).
BOX_COLOURS = (
    (255, 99, 72),
    (46, 213, 115),
    (30, 144, 255),
    (255, 202, 40),
    (213, 91, 255),
    (0, 206, 201),
    (255, 121, 198),
    (186, 220, 88),
    (255, 255, 255),
)
OUTCOMES = ('student', 'both', 'baseline', 'neither')
HEIGHT = 192  # pixels of a frame in a strip


def clip_strips(
    record: dict[str, Any],
    modalities: Mapping[str, Modality],
    num_frames: int = 6,
    score_thr: float = 0.3,
) -> dict[str, np.ndarray]:
    """Draw a clip of a data set: a strip of frames for each modality that can be shown.

    Flow is coloured, boxes are drawn on the frames of the first modality of images. Sound and
    other modalities that are no images have no strip, nor has what the clip lacks.

    Args:
        record: Of the clip, with its media.
        modalities: Name to modality, as the test pipeline has them.
        num_frames: Frames of a strip, evenly spread over the clip.
        score_thr: Boxes below are not drawn.

    Returns:
        Name to (height, T * width, 3) uint8 RGB.
    """
    last = record['stop_frame'] - 1
    inds_T = np.linspace(record['start_frame'], last, num_frames).round().astype(np.int64)
    strips: dict[str, list[np.ndarray]] = {}
    there = {name: m for name, m in modalities.items() if m.available(record)}
    for name, modality in there.items():
        if isinstance(modality, FlowModality):
            strips[name] = _flow_frames(modality.read(record, inds_T)[..., :2])
        elif isinstance(modality, ImageModality) and modality.channels == 3:
            strips[name] = [_resize(frame) for frame in modality.read(record, inds_T)]
    ground = next((strips[n] for n in strips if not isinstance(there[n], FlowModality)), None)
    for name, modality in there.items():
        if isinstance(modality, DetectionModality):
            boxes = modality.read(record, inds_T)
            classes = modality.class_names(record)
            frames = ground or [_blank(modality.frame_shape(record, boxes))] * num_frames
            strips[name] = [
                draw_boxes(frame, boxes_N[boxes_N[:, 4] >= score_thr], classes)
                for frame, boxes_N in zip(frames, boxes, strict=True)
            ]
    return {name: _side_by_side(frames) for name, frames in strips.items()}


def _flow_frames(encoded: np.ndarray) -> list[np.ndarray]:
    flow = [decode_flow(frame) for frame in encoded]
    fastest = max(1.0, float(np.quantile(np.stack([speed(f) for f in flow]), 0.995)))
    return [_resize(flow_colours(frame, fastest)) for frame in flow]


def speed(flow_HW2: np.ndarray) -> np.ndarray:
    """Length of the motion of each pixel."""
    return np.linalg.norm(flow_HW2, axis=-1)


def flow_colours(flow_HW2: np.ndarray, fastest: float) -> np.ndarray:
    """Motion as colour: hue is the direction, saturation the speed, white stands still.

    The wheel of Baker et al., *A Database and Evaluation Methodology for Optical Flow*, 2011, in
    its plain HSV form.

    Args:
        flow_HW2: Displacements in pixels, x then y.
        fastest: Speed in pixels that is fully saturated; more is clipped.
    """
    angle = np.degrees(np.arctan2(flow_HW2[..., 1], flow_HW2[..., 0])) % 360
    hsv = np.ones((*flow_HW2.shape[:2], 3), dtype=np.float32)
    hsv[..., 0] = angle
    hsv[..., 1] = np.clip(speed(flow_HW2) / fastest, 0, 1)
    rgb = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return np.rint(255 * rgb).astype(np.uint8)


def colour_wheel(size: int = 96) -> np.ndarray:
    """The key to `flow_colours`: (size, size, 4) uint8 RGBA, clear outside the circle."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    flow = np.stack(np.meshgrid(axis, axis), axis=-1)
    # A soft rim of one pixel.
    alpha = np.clip((1 - speed(flow)) * size / 2, 0, 1)
    return np.dstack([flow_colours(flow, 1.0), np.rint(255 * alpha).astype(np.uint8)])


def draw_boxes(frame: np.ndarray, boxes_N6: np.ndarray, classes: list[str]) -> np.ndarray:
    """A copy of an RGB frame with named boxes.

    Args:
        frame: (H, W, 3) uint8.
        boxes_N6: x1 y1 x2 y2 as fractions of the frame, score, label.
        classes: Names of the labels.
    """
    drawn = frame.copy()
    height, width = frame.shape[:2]
    for box in boxes_N6[::-1]:
        label = int(box[5])
        colour = BOX_COLOURS[label % len(BOX_COLOURS)]
        x1, y1, x2, y2 = np.rint(box[:4] * (width, height, width, height)).astype(int).tolist()
        cv2.rectangle(drawn, (x1, y1), (x2, y2), colour, 2)
        name = classes[label] if label < len(classes) else str(label)
        _draw_name(drawn, name, (x1, y1), colour)
    return drawn


def _draw_name(
    image: np.ndarray, name: str, corner: tuple[int, int], colour: tuple[Any, ...]
) -> None:
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.38
    (width, height), base = cv2.getTextSize(name, font, scale, 1)
    left = min(corner[0], image.shape[1] - width - 2)
    bottom = max(corner[1], height + base + 1)
    top_left, bottom_right = (left, bottom - height - base - 1), (left + width + 2, bottom)
    cv2.rectangle(image, top_left, bottom_right, colour, cv2.FILLED)
    cv2.putText(image, name, (left + 1, bottom - base), font, scale, (0, 0, 0), 1, cv2.LINE_AA)


def _resize(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    size = max(1, round(width * HEIGHT / height)), HEIGHT
    way = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=way)


def _blank(shape: tuple[int, int]) -> np.ndarray:
    return _resize(np.full((*shape, 3), 60, np.uint8))


def _side_by_side(images: list[np.ndarray], gap: int = 4) -> np.ndarray:
    white = np.full((images[0].shape[0], gap, 3), 255, dtype=np.uint8)
    parts = [part for image in images for part in (image, white)]
    return np.concatenate(parts[:-1], axis=1)


def outcomes(baseline: ScoreTable, student: ScoreTable, task: str) -> dict[str, np.ndarray]:
    """Clip indices by who is right, one of `OUTCOMES`; student and baseline are any two models."""
    right_b = predictions(baseline, task).correct_N
    right_s = predictions(student, task).correct_N
    return {
        'student': np.flatnonzero(right_s & ~right_b),
        'both': np.flatnonzero(right_s & right_b),
        'baseline': np.flatnonzero(~right_s & right_b),
        'neither': np.flatnonzero(~right_s & ~right_b),
    }


def choose_clips(
    by_outcome: dict[str, np.ndarray], wanted: dict[str, int], seed: int = 0
) -> list[tuple[str, int]]:
    """Draw clips of each outcome at random, not by how they look: (outcome, clip index)."""
    generator = np.random.default_rng(seed)
    chosen = []
    for outcome, clips in by_outcome.items():
        count = min(wanted.get(outcome, 0), len(clips))
        drawn: Any = generator.choice(clips, size=count, replace=False) if count else []
        chosen += [(outcome, int(clip)) for clip in drawn]
    return chosen
