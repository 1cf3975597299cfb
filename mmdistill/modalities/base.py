"""The interface of a modality.

Shape legend: V = temporal clips, C = crops, T = frames of a clip, F = V * T frames.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from ..geometry import ClipGeometry
from ..ranges import ONE_OR_MORE
from ..sampling import frames_at_own_rate


class Modality(ABC):
    """One input stream of a clip: reads it, moves it with the geometry, packs it.

    A subclass says how to `read` frames, `move` them and `pack` views; everything else is here.

    Args:
        source: Which entry of the record's `media` holds the files.
        clip_len: Frames of a clip for this modality, spread over the same span as the sampled
            frames; None keeps the sampled ones.
        size: Height and width in pixels instead of the geometry's.
        optional: A clip without this modality is zero-filled and marked unavailable; otherwise a
            missing file is an error. What the annotations call absent is never looked for.

    Raises:
        ValueError: A number is out of its range; names the argument.
    """

    def __init__(
        self,
        source: str,
        clip_len: int | None = None,
        size: tuple[int, int] | None = None,
        optional: bool = False,
    ) -> None:
        ONE_OR_MORE.check_optional(clip_len=clip_len)
        if size is not None:
            ONE_OR_MORE.check_pair(size=size)
        self.source = source
        self.clip_len = clip_len
        self.size = size
        self.optional = optional

    def path(self, record: dict[str, Any]) -> Path:
        """The file or folder of this modality for a clip.

        Raises:
            KeyError: The data set names no such media.
            FileNotFoundError: It does not exist.
        """
        media = record.get('media', {})
        if self.source not in media:
            raise KeyError(
                f'Clip {record["sample_id"]!r} has media for {sorted(media)}, but '
                f'{type(self).__name__} needs {self.source!r}; add a template such as '
                f"media=dict({self.source}='…/{{video_id}}…') to the data set."
            )
        path = Path(media[self.source])
        if not path.exists():
            raise FileNotFoundError(
                f'{self.source} of clip {record["sample_id"]!r} is missing: {path}. Extract it, '
                f'or set optional=True on {type(self).__name__}.'
            )
        return path

    def available(self, record: dict[str, Any]) -> bool:
        """Whether the clip has this modality: its record does not call it absent, and it is there.

        An optional one may be missing; for another one that is an error, which `read` raises.
        """
        return self.source not in record.get('absent', ()) and self.found(record)

    def found(self, record: dict[str, Any]) -> bool:
        """Whether the files have this modality of the clip; without `optional` they must."""
        if not self.optional:
            return True
        path = record.get('media', {}).get(self.source)
        return path is not None and Path(path).exists()

    def shares_frames(self, other: 'Modality') -> bool:
        """Whether `read` gives what `other.read` gives, so that one reading can serve both."""
        return self is other

    def frame_inds(self, frame_inds_VT: np.ndarray) -> np.ndarray:
        """The (V, T) frames that this modality reads of a sampled clip: `clip_len` of them.

        A sensor with a clock of its own overrides this by `positions_at_own_rate`.
        """
        return frames_at_own_rate(frame_inds_VT, self.clip_len)

    def views(
        self, frames_F: np.ndarray | None, frame_inds_VT: np.ndarray, geometry: ClipGeometry
    ) -> np.ndarray:
        """The packed views of a clip, crop by crop, each with all its temporal clips.

        Args:
            frames_F: What `read` returned, or None where the clip lacks this modality.
            frame_inds_VT: The frames that were read.
            geometry: The geometry of the clip.
        """
        size = self.size or geometry.size
        if frames_F is None:
            crops = [self.missing(frame_inds_VT.size, size)] * len(geometry.crops_C4)
        else:
            crops = [
                self.move(frames_F, crop_4, geometry.flip, size) for crop_4 in geometry.crops_C4
            ]
        return self.pack(crops, *frame_inds_VT.shape)

    @abstractmethod
    def frame_shape(self, record: dict[str, Any], frames_F: np.ndarray) -> tuple[int, int]:
        """Height and width in pixels of the frames that were read; geometry is drawn in them."""

    @abstractmethod
    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Frames at absolute 0-based indices of the video, (F, …)."""

    @abstractmethod
    def move(
        self, frames_F: np.ndarray, crop_4: np.ndarray, flip: bool, size: tuple[int, int]
    ) -> np.ndarray:
        """Crop (fractions of the frame), resize to (height, width) pixels, then mirror."""

    @abstractmethod
    def pack(self, crops: list[np.ndarray], num_clips: int, clip_len: int) -> np.ndarray:
        """Views first: (C * V, …) from C arrays of V * T frames."""

    @abstractmethod
    def missing(self, num_frames: int, size: tuple[int, int]) -> np.ndarray:
        """What stands for an absent clip: as `move` returns it, (F, …)."""


def repeated(frames: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """`frames[inverse]`, without a copy where every frame is wanted once and in order."""
    in_order = len(frames) == len(inverse) and (inverse == np.arange(len(inverse))).all()
    return frames if in_order else frames[inverse]
