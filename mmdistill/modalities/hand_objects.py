"""EPIC-KITCHENS' hands and objects, and its object masks, from the owners' file of each video."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..ranges import COUNT, ONE_OR_MORE
from ..registry import MODALITIES
from .base import Modality
from .box_annotations import CLASSES
from .detections import LABEL, SCORE, DetectionModality, pad_rows
from .epic_box_file import HANDS_AND_OBJECTS, OBJECT_MASKS, Schema, decode_message, read_messages
from .epic_errata import check_length

# Files of long videos that a process keeps open; clips of a video rarely follow each other.
VIDEOS_KEPT = 4


@MODALITIES.register_module()
class EpicHandObjects(DetectionModality):
    """Detected hands and objects, (T, N, 6) float32 of `DetectionModality`; label 0 hand, 1 object.

    The owners kept hands from a score of 0.1 and objects from 0.01; they advise 0.5 for both, which
    is `min_score`.

    Args:
        first_index: Number of a video's first frame in the file, 1 as in the names of the JPEGs
            and in the owners' check of the files. Frames are the published ones, so
            `video_info=None`.
        frame_size: Height and width of the video, by default of the published frames; where boxes
            are read without images, crops are drawn in it.
        **kwargs: Of `DetectionModality`; the entry `source` of `media` is the file of the video,
            such as `{participant_id}/hand-objects/{video_id}.pkl`.

    Raises:
        ValueError: The file is damaged, of another video, of the first extraction of one of two
            videos (`epic_errata`), or ends before the clip.
    """

    schema: Schema = HANDS_AND_OBJECTS

    def __init__(
        self, first_index: int = 1, frame_size: tuple[int, int] = (256, 456), **kwargs: Any
    ) -> None:
        kwargs.setdefault('min_score', 0.5)
        super().__init__(**kwargs)
        COUNT.check(first_index=first_index)
        ONE_OR_MORE.check_pair(frame_size=frame_size)
        self.first_index = first_index
        self.frame_size = frame_size

    def found(self, record: dict[str, Any]) -> bool:
        """Whether the video has a file."""
        return Modality.found(self, record)

    def frame_shape(self, record: dict[str, Any], frames_F: np.ndarray) -> tuple[int, int]:
        """Height and width of the frames, which the file does not tell."""
        return self.frame_size

    def class_names(self, record: dict[str, Any]) -> list[str]:
        """Hand and object."""
        return list(CLASSES)

    def detection_file(self, record: dict[str, Any]) -> None:
        """None: the owners' file is of another kind."""

    def num_frames(self, record: dict[str, Any]) -> int:
        """Frames of the video that the file has, with boxes or without."""
        return len(self._messages(record))

    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Boxes (F, N, 6), coordinates as fractions of the frame."""
        path, messages = self.path(record), self._messages(record)
        if frame_inds_F.max() >= len(messages):
            raise ValueError(
                f'Clip {record["sample_id"]!r} asks for frame {frame_inds_F.max()}, but {path} has '
                f'{len(messages)}: it counts the published frames, set video_info=None.'
            )
        boxes = np.zeros((len(frame_inds_F), self.max_boxes, 6), dtype=np.float32)
        for slot, index in zip(boxes, frame_inds_F, strict=True):
            found = decode_message(messages[index], f'{path}, message {index}', self.schema)
            video_id = record['video_id'] if found.video_id is None else found.video_id
            expected = record['video_id'], int(index) + self.first_index
            if (video_id, found.number) != expected:
                raise ValueError(
                    f'{path}, message {index}: expected {expected[0]}, frame {expected[1]}, got '
                    f'{video_id}, frame {found.number}; correct media or first_index.'
                )
            rows = found.boxes_M6[np.argsort(-found.boxes_M6[:, SCORE], kind='stable')]
            rows = rows[rows[:, SCORE] >= max(self.min_score, 1e-9)][: self.max_boxes]
            slot[: len(rows)] = rows
            slot[len(rows) :, LABEL] = -1
        return pad_rows(boxes, boxes[..., LABEL] < 0)

    def _messages(self, record: dict[str, Any]) -> list[bytes]:
        path = self.path(record)
        messages = _read_messages(path)
        check_length(record['video_id'], len(messages), path)
        return messages


@MODALITIES.register_module()
class EpicObjectMasks(EpicHandObjects):
    """Boxes of the object masks, (T, N, 6) float32 of `DetectionModality`; labels 0 to 79 of COCO.

    The owners ran a Mask R-CNN of COCO's classes over the published frames; the masks themselves
    are left alone. The labels are those of a detector of mmdet on COCO.

    Args:
        **kwargs: Of `EpicHandObjects`; the entry `source` of `media` is the file of the video, such
            as `{participant_id}/masks/{video_id}.pkl`.

    Raises:
        ValueError: As `EpicHandObjects`; a file does not say which video it is of.
    """

    schema = OBJECT_MASKS

    def class_names(self, record: dict[str, Any]) -> list[str]:
        """COCO's."""
        from mmdet.datasets import CocoDataset  # slow to import, and for pictures only

        return list(CocoDataset.METAINFO['classes'])


@lru_cache(VIDEOS_KEPT)
def _read_messages(path: Path) -> list[bytes]:
    return read_messages(path)
