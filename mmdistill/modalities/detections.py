"""Object detections from the HDF5 file that mmdistill extract-detections writes."""

from pathlib import Path
from typing import Any

import numpy as np

from ..ranges import COUNT, FRACTION, ONE_OR_MORE
from ..registry import MODALITIES
from .base import Modality
from .detection_file import DetectionFile

BOX = slice(0, 4)
SCORE, LABEL = 4, 5
PADDING_LABEL = -1


@MODALITIES.register_module()
class DetectionModality(Modality):
    """Detected boxes per frame, (T, N, 6 + features) float32.

    A row is x1 y1 x2 y2 (fractions of the crop), score, label and the ROI feature if the file has
    one; padded rows have score 0 and label -1.

    Args:
        max_boxes: N, the boxes kept per frame, best scores first.
        min_score: Boxes below it are dropped; a detector's doubtful boxes are mostly noise.
        min_visible: A box of which a smaller share lies inside the crop is dropped.
        feature_dims: ROI feature length for clips without detections; the file decides otherwise.
        **kwargs: `source`, `clip_len`, `optional` of `Modality`.
    """

    def __init__(
        self,
        max_boxes: int = 10,
        min_score: float = 0.0,
        min_visible: float = 0.1,
        feature_dims: int = 0,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault('source', 'obj')
        super().__init__(**kwargs)
        ONE_OR_MORE.check(max_boxes=max_boxes)
        FRACTION.check(min_score=min_score, min_visible=min_visible)
        COUNT.check(feature_dims=feature_dims)
        self.max_boxes = max_boxes
        self.min_score = min_score
        self.min_visible = min_visible
        self.feature_dims = feature_dims
        self._file: tuple[Path, DetectionFile] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """HDF5 handles stay in their process; a worker opens its own."""
        return {**self.__dict__, '_file': None}

    def found(self, record: dict[str, Any]) -> bool:
        """Whether the clip has detections; one file holds many videos, so it is looked into."""
        if not super().found(record):
            return False
        return not self.optional or self.detection_file(record).has(record['video_id'])

    def frame_shape(self, record: dict[str, Any], frames_F: np.ndarray) -> tuple[int, int]:
        """Height and width of the frames on which the detector ran."""
        return self.detection_file(record).frame_shape(record['video_id'])

    def class_names(self, record: dict[str, Any]) -> list[str]:
        """What the labels mean."""
        return self.detection_file(record).classes

    def num_frames(self, record: dict[str, Any]) -> int | None:
        """Frames of the video by the detections, where these are in no `detection_file` and say."""
        return None

    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Boxes (F, N, 6 + features), coordinates as fractions of the frame."""
        boxes = self.detection_file(record).read(record['video_id'], frame_inds_F, self.max_boxes)
        return pad_rows(boxes, ~(boxes[..., SCORE] >= self.min_score))

    def move(
        self, frames_F: np.ndarray, crop_4: np.ndarray, flip: bool, size: tuple[int, int]
    ) -> np.ndarray:
        """Express boxes as fractions of the crop; `size` does not matter to them."""
        return move_boxes(frames_F, crop_4, flip, self.min_visible)

    def pack(self, crops: list[np.ndarray], num_clips: int, clip_len: int) -> np.ndarray:
        """(C * V, T, N, 6 + features)."""
        return np.concatenate(
            [frames.reshape(num_clips, clip_len, *frames.shape[1:]) for frames in crops]
        )

    def missing(self, num_frames: int, size: tuple[int, int]) -> np.ndarray:
        """Padding only."""
        boxes = np.zeros((num_frames, self.max_boxes, 6 + self.feature_dims), dtype=np.float32)
        boxes[..., LABEL] = PADDING_LABEL
        return boxes

    def detection_file(self, record: dict[str, Any]) -> DetectionFile | None:
        """The file that is read; None in a subclass that reads files of another kind."""
        path = self.path(record)
        if self._file is None or self._file[0] != path:
            self._file = (path, DetectionFile(path))
        return self._file[1]


def move_boxes(
    boxes: np.ndarray, crop_4: np.ndarray, flip: bool, min_visible: float = 0.1
) -> np.ndarray:
    """Move boxes (…, 6 + features) from fractions of the frame to fractions of a crop.

    Coordinates are clipped to the crop. A box whose visible share is below `min_visible`, and what
    is no box at all (NaN, inverted, score 0), becomes padding: score 0, label -1, all else 0.
    """
    moved = boxes.copy()
    origin, extent = np.tile(crop_4[:2], 2), np.tile(crop_4[2:] - crop_4[:2], 2)
    inside = (boxes[..., BOX] - origin) / extent
    clipped = inside.clip(0.0, 1.0)
    if flip:
        clipped[..., [0, 2]] = 1.0 - clipped[..., [2, 0]]
    moved[..., BOX] = clipped
    # Asked for what is right: every comparison with NaN is false.
    visible = (_sides(clipped) > 0).all(-1) & (boxes[..., SCORE] > 0)
    visible &= _sides(clipped).prod(-1) >= min_visible * _sides(inside).prod(-1)
    return pad_rows(moved, ~visible)


def pad_rows(boxes: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Turn rows of boxes (…, 6 + features) into padding, in place: label -1, all else 0."""
    boxes[gone] = 0.0
    boxes[gone, LABEL] = PADDING_LABEL
    return boxes


def _sides(boxes: np.ndarray) -> np.ndarray:
    return boxes[..., 2:4] - boxes[..., :2]
