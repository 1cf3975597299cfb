"""EPIC-KITCHENS' hands and objects as a modality, from the owners' file of each video."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..registry import MODALITIES
from .base import Modality
from .detections import LABEL, SCORE, DetectionModality, pad_rows
from .hand_object_file import decode_message, read_messages

# Files of long videos that a process keeps open; clips of a video rarely follow each other.
VIDEOS_KEPT = 4


@MODALITIES.register_module()
class EpicHandObjects(DetectionModality):
    """Detected hands and objects, (T, N, 6) float32 of `DetectionModality`; label 0 hand, 1 object.

    The owners kept hands from a score of 0.1 and objects from 0.01; they advise 0.5 for both, which
    is `min_score`.

    Args:
        first_index: Number of a video's first frame in the file, 1 as in the names of the JPEGs.
            Frames are the published ones, so `video_info=None`.
        frame_size: Height and width of the video, by default of the published frames; where boxes
            are read without images, crops are drawn in it.
        **kwargs: Of `DetectionModality`; the entry `source` of `media` is the file of the video,
            such as `hand-objects/{participant_id}/{video_id}.pkl`.

    Raises:
        ValueError: The file is damaged, of another video, or ends before the clip.
    """

    def __init__(
        self, first_index: int = 1, frame_size: tuple[int, int] = (256, 456), **kwargs
    ) -> None:
        kwargs.setdefault('min_score', 0.5)
        super().__init__(**kwargs)
        self.first_index = first_index
        self.frame_size = frame_size

    def available(self, record: dict[str, Any]) -> bool:
        """Whether the video has a file."""
        return Modality.available(self, record)

    def frame_shape(self, record: dict[str, Any], frames_F: np.ndarray) -> tuple[int, int]:
        """Height and width of the frames, which the file does not tell."""
        return self.frame_size

    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Boxes (F, N, 6), coordinates as fractions of the frame."""
        path = self.path(record)
        messages = _messages(path)
        if frame_inds_F.max() >= len(messages):
            raise ValueError(
                f'Clip {record["sample_id"]!r} asks for frame {frame_inds_F.max()}, but {path} has '
                f'{len(messages)}: it counts the published frames, set video_info=None.'
            )
        boxes = np.zeros((len(frame_inds_F), self.max_boxes, 6), dtype=np.float32)
        for slot, index in zip(boxes, frame_inds_F, strict=True):
            found = decode_message(messages[index], f'{path}, message {index}')
            expected = record['video_id'], int(index) + self.first_index
            if (found.video_id, found.number) != expected:
                raise ValueError(
                    f'{path}, message {index}: expected {expected[0]}, frame {expected[1]}, got '
                    f'{found.video_id}, frame {found.number}; correct media or first_index.'
                )
            rows = found.boxes_M6[np.argsort(-found.boxes_M6[:, SCORE], kind='stable')]
            rows = rows[rows[:, SCORE] >= max(self.min_score, 1e-9)][: self.max_boxes]
            slot[: len(rows)] = rows
            slot[len(rows) :, LABEL] = -1
        return pad_rows(boxes, boxes[..., LABEL] < 0)


@lru_cache(VIDEOS_KEPT)
def _messages(path: Path) -> list[bytes]:
    return read_messages(path)
