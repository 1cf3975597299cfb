"""Something-Else's human boxes as a modality: the owners' files are read as they are.

Shape legend: F frames that are read, N boxes kept per frame.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..ranges import COUNT
from ..registry import MODALITIES
from ..video import index_video
from .base import Modality
from .box_annotations import CLASSES, BoxAnnotations
from .detections import LABEL, PADDING_LABEL, SCORE, DetectionModality, pad_rows
from .video_detections import impossible_boxes

IMAGES = ('.jpg', '.jpeg', '.png')


@MODALITIES.register_module()
class SomethingElseBoxes(DetectionModality):
    """Boxes that people drew, as (T, N, 6) float32 of `DetectionModality`; label 0 hand, 1 object.

    Every box has score 1. A frame that nobody annotated takes the nearest annotated one, up to
    `max_gap` frames away, and has no boxes beyond that. The files do not tell how large a frame
    is: the record does (`width`, `height`, see `SomethingSomethingDataset`), or else its video.

    Materzynska et al., *Something-Else*, 2020. https://arxiv.org/abs/1912.09930

    Args:
        max_gap: How many frames away boxes may be borrowed.
        frames_from: Entry of the record's `media`, a video or a folder of frames, that tells the
            size of a frame.
        **kwargs: Of `DetectionModality`; the entry `source` of `media` is one JSON file, or the
            folder with the parts.

    Raises:
        KeyError: The files do not know the video.
        ValueError: A box lies outside of the frame: boxes and video have different resolutions.
    """

    annotations = BoxAnnotations
    tolerance = 2.0  # pixels; annotated corners lie a fraction of one beyond the frame at times

    def __init__(self, max_gap: int = 3, frames_from: str = 'rgb', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        COUNT.check(max_gap=max_gap)
        self.max_gap = max_gap
        self.frames_from = frames_from
        self._annotations: tuple[Path, BoxAnnotations] | None = None

    def found(self, record: dict[str, Any]) -> bool:
        """Whether the video was annotated; asked of an optional modality only."""
        if not Modality.found(self, record):
            return False
        return not self.optional or self._boxes(record).has(record['video_id'])

    def frame_shape(self, record: dict[str, Any], frames_F: np.ndarray) -> tuple[int, int]:
        """Height and width of the video."""
        return self._size(record)

    def class_names(self, record: dict[str, Any]) -> list[str]:
        """Hand and object."""
        return list(CLASSES)

    def detection_file(self, record: dict[str, Any]) -> None:
        """None: the owners' files are of another kind."""

    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Boxes (F, N, 6), coordinates as fractions of the frame."""
        annotated = self._boxes(record).read(record['video_id'])
        height, width = self._size(record)
        self._check_inside(record, annotated, height, width)
        known = np.array(sorted(annotated))
        boxes = self.missing(len(frame_inds_F), (height, width))
        for slot, index in zip(boxes, frame_inds_F, strict=True):
            if not len(known):
                break
            nearest = int(known[np.abs(known - index).argmin()])
            if abs(nearest - index) > self.max_gap:
                continue
            rows = annotated[nearest]
            rows = rows[~impossible_boxes(rows[:, :4], rows[:, SCORE])]
            rows = rows[np.argsort(-rows[:, SCORE], kind='stable')[: self.max_boxes]]
            slot[: len(rows), :6] = rows / (width, height, width, height, 1, 1)
        return pad_rows(boxes, (boxes[..., SCORE] < self.min_score) | (boxes[..., LABEL] < 0))

    def missing(self, num_frames: int, size: tuple[int, int]) -> np.ndarray:
        """Padding only; there are no features."""
        boxes = np.zeros((num_frames, self.max_boxes, 6), dtype=np.float32)
        boxes[..., LABEL] = PADDING_LABEL
        return boxes

    def _boxes(self, record: dict[str, Any]) -> BoxAnnotations:
        path = self.path(record)
        if self._annotations is None or self._annotations[0] != path:
            self._annotations = (path, self.annotations(path))
        return self._annotations[1]

    def _size(self, record: dict[str, Any]) -> tuple[int, int]:
        told = self._boxes(record).size(record['video_id'])
        if told is not None:
            return told[::-1]
        if 'height' in record and 'width' in record:
            return int(record['height']), int(record['width'])
        path = Path(record.get('media', {}).get(self.frames_from, 'none'))
        if not path.exists():
            raise FileNotFoundError(
                f'The boxes of clip {record["sample_id"]!r} are in pixels, and how large its '
                f'frames are cannot be seen: {str(path)!r} is missing. Give media a template '
                f'{self.frames_from!r}, or frame_counts a CSV with width and height.'
            )
        size = _image_size(path) if path.is_dir() else index_video(path).size[::-1]
        if size is None:
            raise ValueError(f'{path} holds no frame that can be decoded: fetch it again.')
        return size

    def _check_inside(
        self, record: dict[str, Any], annotated: dict[int, np.ndarray], height: int, width: int
    ) -> None:
        corners = [rows[:, :4] for rows in annotated.values() if len(rows)]
        if not corners:
            return
        extent = np.concatenate(corners).max(axis=0)
        if extent[2] > width + self.tolerance or extent[3] > height + self.tolerance:
            raise ValueError(
                f'{self.path(record)}: boxes of video {record["video_id"]!r} reach to '
                f'{extent[2]:.0f} x {extent[3]:.0f} pixels, but its frames are {width} x {height}. '
                'The boxes belong to the original videos: use these, or say their width and height '
                'in frame_counts.'
            )


def _image_size(folder: Path) -> tuple[int, int] | None:
    first = min((p for p in folder.iterdir() if p.suffix.lower() in IMAGES), default=None)
    image = None if first is None else cv2.imread(str(first))
    return None if image is None else image.shape[:2]
