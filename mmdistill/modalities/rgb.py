"""RGB frames from a video file, a folder of images or an HDF5 pack."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..ranges import COUNT
from ..registry import MODALITIES
from ..video import VideoError, read_clip, read_clip_by_decord
from .base import Modality, repeated
from .frame_pack import is_pack
from .images import FrameFolder, ImageModality, unique_frames

READERS = {'auto': read_clip, 'pyav': read_clip, 'decord': read_clip_by_decord}


@MODALITIES.register_module()
class RGBModality(ImageModality):
    """RGB frames, uint8.

    Args:
        source: Entry of the record's `media`: a video file, a folder of frames, or an HDF5
            file with the frames of all clips (`frame_pack`).
        template: File name of a frame in a folder, with its 1-based `{index}`.
        num_threads: Decoding threads per video; workers already use all cores, so 1.
        reader: 'decord', or 'pyav', which 'auto' is; see `mmdistill.video`.
        **kwargs: See `ImageModality` and `Modality`.
    """

    def __init__(
        self,
        source: str = 'rgb',
        template: str = 'frame_{index:010d}.jpg',
        num_threads: int = 1,
        reader: str = 'auto',
        **kwargs: Any,
    ) -> None:
        super().__init__(source=source, **kwargs)
        if reader not in READERS:
            raise ValueError(f'Unknown reader {reader!r}; expected one of {list(READERS)}.')
        COUNT.check(num_threads=num_threads)
        self.reader = reader
        self.template = template
        self.num_threads = num_threads

    def shares_frames(self, other: Modality) -> bool:
        """Decoding is dear: the frames of a video are read once, whoever wants them."""
        same = type(other) is type(self)
        return same and (self.source, self.template) == (other.source, other.template)

    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Frames (F, H, W, 3), RGB."""
        path = self.path(record)
        if is_pack(path):
            return self.pack_of(record).read(record, frame_inds_F)
        if path.is_dir():
            folder = FrameFolder(path, self.template)
            return unique_frames(
                frame_inds_F, lambda i: cv2.cvtColor(folder.read(i), cv2.COLOR_BGR2RGB)
            )
        return self._read_video(record, path, frame_inds_F)

    def _read_video(
        self, record: dict[str, Any], path: Path, frame_inds_F: np.ndarray
    ) -> np.ndarray:
        unique, inverse = np.unique(frame_inds_F, return_inverse=True)
        try:
            frames = READERS[self.reader](path, unique, self.num_threads)
        except VideoError as error:
            raise ValueError(f'Clip {record["sample_id"]!r}: {error}') from error
        return repeated(frames, inverse)
