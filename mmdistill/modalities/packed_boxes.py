"""EPIC-KITCHENS hands and objects from the HDF5 pack of the paper's authors, as it is.

`<video>/<frame>` is one text, a list of boxes as Python writes it: `[{'box': [x1, y1, x2, y2],
'category': 'hand', 'score': 0.9, 'side': 0}, …]`, coordinates being fractions of the frame. The
text is parsed as a literal; nothing in it is executed.
https://github.com/gorjanradevski/multimodal-distillation, `src/modelling/dataset_layout.py`

Their code does not say whether frames count from 0 or from 1: no tool that writes the pack is
published, and the reader looks up the sampler's index without the start of the segment (and cannot
run on EPIC-KITCHENS: it asks a record for `frames`, which these have not). So the file is asked.

Shape legend: F frames that are read, N boxes kept per frame.
"""

import ast
from typing import Any

import h5py
import numpy as np

from ..ranges import COUNT, ONE_OR_MORE
from ..registry import MODALITIES
from .base import Modality
from .box_annotations import CLASSES
from .detections import LABEL, SCORE, DetectionModality, pad_rows
from .hdf5_file import HDF5File, find
from .video_detections import impossible_boxes

# Detectors draw a little beyond the frame; pixels are far larger.
LARGEST = 2.0


@MODALITIES.register_module()
class PackedBoxes(DetectionModality):
    """Detected hands and objects, (T, N, 6) float32 of `DetectionModality`; label 0 hand, 1 object.

    A frame that is not in the file takes the nearest one that is, up to `max_gap` frames away, and
    has no boxes beyond that.

    Args:
        first_index: Number of the first frame of a video in the file: 0, or 1 as in the names of
            the published JPEGs. None finds out: a video that has a frame 0 counts from 0, one that
            has a frame 1 and no 0 counts from 1; any other one is an error.
        max_gap: How many frames away boxes may be borrowed.
        frame_size: Height and width of the video, by default of the published frames; where boxes
            are read without images, crops are drawn in it.
        **kwargs: Of `DetectionModality`; the entry `source` of `media` is the HDF5 file.

    Raises:
        KeyError: The file does not know the video.
        ValueError: A frame's text is not as described, its coordinates are in pixels, or nothing
            tells from where frames are counted.
    """

    def __init__(
        self,
        first_index: int | None = None,
        max_gap: int = 3,
        frame_size: tuple[int, int] = (256, 456),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        COUNT.check_optional(first_index=first_index)
        COUNT.check(max_gap=max_gap)
        ONE_OR_MORE.check_pair(frame_size=frame_size)
        self.first_index = first_index
        self.max_gap = max_gap
        self.frame_size = frame_size
        self._pack: HDF5File | None = None

    def found(self, record: dict[str, Any]) -> bool:
        """Whether the video is in the file; asked of an optional modality only."""
        if not Modality.found(self, record):
            return False
        return not self.optional or self._opened(record).find(record['video_id']) is not None

    def frame_shape(self, record: dict[str, Any], frames_F: np.ndarray) -> tuple[int, int]:
        """Height and width of the frames, which the file does not tell."""
        return self.frame_size

    def class_names(self, record: dict[str, Any]) -> list[str]:
        """Hand and object."""
        return list(CLASSES)

    def detection_file(self, record: dict[str, Any]) -> None:
        """None: the pack is of another kind."""

    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Boxes (F, N, 6), coordinates as fractions of the frame."""
        video_id = record['video_id']
        video = self._opened(record).find(video_id)
        if not isinstance(video, h5py.Group):
            raise KeyError(
                f'{self.path(record)} has no boxes of video {video_id!r}; correct the path, or set '
                'optional=True on the modality.'
            )
        first = self._first_index(video)
        boxes = self.missing(len(frame_inds_F), (0, 0))[..., :6]
        for slot, index in zip(boxes, frame_inds_F, strict=True):
            rows = self._rows_near(video, int(index) + first)
            rows = rows[np.argsort(-rows[:, SCORE], kind='stable')[: self.max_boxes]]
            slot[: len(rows)] = rows
        return pad_rows(boxes, (boxes[..., SCORE] < self.min_score) | (boxes[..., LABEL] < 0))

    def _first_index(self, video: h5py.Group) -> int:
        if self.first_index is not None:
            return self.first_index
        first = next((number for number in (0, 1) if find(video, str(number)) is not None), None)
        if first is None:
            raise ValueError(
                f'{self._pack.path}, {video.name} has neither a frame 0 nor a frame 1, so it does '
                'not say from where it counts: set first_index=0 or 1 on PackedBoxes, and look '
                'with mmdistill check which of them lies on the picture.'
            )
        return first

    def _rows_near(self, video: h5py.Group, number: int) -> np.ndarray:
        for gap in range(self.max_gap + 1):
            for key in dict.fromkeys((str(number - gap), str(number + gap))):
                frame = find(video, key)
                if frame is not None:
                    return parse_boxes(frame[()], f'{self._pack.path}, {video.name}/{key}')
        return np.zeros((0, 6), np.float32)

    def _opened(self, record: dict[str, Any]) -> HDF5File:
        path = self.path(record)
        if self._pack is None or self._pack.path != path:
            self._pack = HDF5File(path)
        return self._pack


def parse_boxes(content: Any, where: str) -> np.ndarray:
    """The boxes of one frame as (M, 6) float32: x1 y1 x2 y2 as fractions, score, label.

    What is no box (no width, a score beyond 0 to 1) is left out, see `impossible_boxes`.

    Raises:
        ValueError: It is no list of boxes; begins with `where`.
    """
    text = content.decode(errors='replace') if isinstance(content, bytes) else str(content)
    try:
        rows = [
            (*map(float, box['box']), float(box['score']), CLASSES.index(box['category']))
            for box in ast.literal_eval(text)
        ]
        table = np.array(rows, np.float32).reshape(-1, 6)
    # Text that is nested deeply overflows the parser.
    except (KeyError, TypeError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(
            f"{where}: expected [{{'box': [x1, y1, x2, y2], 'category': 'hand' or 'object', "
            f"'score': …}}, …], got {text[:80]} ({error!r})."
        ) from error
    if not np.isfinite(table).all() or (np.abs(table[:, :4]) > LARGEST).any():
        raise ValueError(
            f'{where}: expected coordinates as fractions of the frame, got {text[:80]}. The boxes '
            'are in pixels, those of another file.'
        )
    return table[~impossible_boxes(table[:, :4], table[:, SCORE])]
