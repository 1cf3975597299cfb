"""A picture of some clips with flow and boxes over RGB, from which a person sees that they fit.

Shape legend: T = frames of a row, N = boxes of a frame.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from ..modalities import DetectionModality, FlowModality, Modality, RGBModality
from ..modalities.flow_encoding import NO_MOTION, decode_flow
from .sample_clips import draw_boxes, flow_colours, speed

WIDTH = 320  # of a frame, in pixels
GAP = 4
CAPTION = 20
OPACITY = 0.75  # of the fastest motion


def contact_sheet(
    clips: Sequence[tuple[str, dict[str, Any]]],
    modalities: Mapping[str, Modality],
    num_frames: int = 4,
) -> np.ndarray:
    """A row per clip, (H, W, 3) uint8 RGB; what cannot be read is said in its place.

    Args:
        clips: Caption and record.
        modalities: Of these, RGB, flow and detections are drawn. Flow is hue for direction, as
            opaque as it is fast.
        num_frames: Frames of a row, from the first to the last of the clip.
    """
    rows = []
    for caption, record in clips:
        try:
            frames = clip_row(record, modalities, num_frames)
        # The check has named it; the sheet goes on with the next clip.
        except Exception as error:
            frames = [np.full((60, WIDTH, 3), 225, np.uint8)] * num_frames
            caption = f'{caption}: cannot be drawn ({type(error).__name__})'
        rows.append(_row(caption, frames))
    return np.concatenate(rows) if rows else np.full((60, WIDTH, 3), 255, np.uint8)


def clip_row(
    record: dict[str, Any], modalities: Mapping[str, Modality], num_frames: int
) -> list[np.ndarray]:
    """Frames of a clip with flow and boxes over them, each (H, WIDTH, 3) uint8 RGB."""
    last = record['stop_frame'] - 1
    inds_T = np.linspace(record['start_frame'], last, num_frames).round().astype(np.int64)
    there = [m for m in modalities.values() if m.available(record)]
    frames = _ground(record, there, inds_T)
    for modality in there:
        if isinstance(modality, FlowModality):
            frames = _lay_flow(frames, modality.read(record, inds_T)[..., :2])
    for modality in there:
        if isinstance(modality, DetectionModality):
            classes = modality.class_names(record)
            boxes = modality.read(record, inds_T)
            frames = [
                draw_boxes(frame, boxes_N[boxes_N[:, 4] > 0], classes)
                for frame, boxes_N in zip(frames, boxes, strict=True)
            ]
    return frames


def _ground(
    record: dict[str, Any], there: Sequence[Modality], inds_T: np.ndarray
) -> list[np.ndarray]:
    """The RGB frames; grey ones of the right shape where the config reads no RGB."""
    rgb = next((m for m in there if isinstance(m, RGBModality)), None)
    if rgb is not None:
        return [_fit(frame) for frame in rgb.read(record, inds_T)]
    drawn = [m for m in there if isinstance(m, (FlowModality, DetectionModality))]
    height, width = (9, 16)
    if drawn:
        height, width = drawn[0].frame_shape(record, drawn[0].read(record, inds_T[:1]))
    return [np.full((round(WIDTH * height / width), WIDTH, 3), 128, np.uint8) for _ in inds_T]


def _lay_flow(frames: Sequence[np.ndarray], flow_THW2: np.ndarray) -> list[np.ndarray]:
    motion = [
        decode_flow(cv2.resize(flow, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR))
        for frame, flow in zip(frames, flow_THW2, strict=True)
    ]
    # One code above noise is no motion yet.
    least = float(np.linalg.norm(decode_flow(np.full(2, NO_MOTION + 6))))
    fastest = max(least, float(np.quantile(speed(np.stack(motion)), 0.995)))
    laid = []
    for frame, flow in zip(frames, motion, strict=True):
        opacity = OPACITY * np.clip(speed(flow) / fastest, 0, 1)[..., None]
        # Full saturation: how fast it is, opacity says already.
        unit = flow / np.maximum(speed(flow), 1e-6)[..., None]
        laid.append(
            np.rint(frame * (1 - opacity) + flow_colours(unit, 1.0) * opacity).astype(np.uint8)
        )
    return laid


def _fit(frame: np.ndarray) -> np.ndarray:
    height = round(WIDTH * frame.shape[0] / frame.shape[1])
    shrinks = frame.shape[1] > WIDTH
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(frame, (WIDTH, height), interpolation=kind)


def _row(caption: str, frames: Sequence[np.ndarray]) -> np.ndarray:
    height = frames[0].shape[0]
    width = len(frames) * (WIDTH + GAP) - GAP
    row = np.full((CAPTION + height + GAP, width, 3), 255, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(row, caption, (4, 14), font, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
    for column, frame in enumerate(frames):
        left = column * (WIDTH + GAP)
        row[CAPTION : CAPTION + height, left : left + WIDTH] = frame
    return row
