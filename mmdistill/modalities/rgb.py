"""RGB frames from a video file (decord), a folder of images or an HDF5 pack."""

from pathlib import Path
from typing import Any

import cv2
import decord
import numpy as np

from ..registry import MODALITIES
from .base import Modality
from .frame_pack import is_pack
from .images import FrameFolder, ImageModality, unique_frames


@MODALITIES.register_module()
class RGBModality(ImageModality):
    """RGB frames, uint8.

    Args:
        source: Entry of the record's `media`: a video file, a folder of frames, or an HDF5
            file with the frames of all clips (`frame_pack`).
        template: File name of a frame in a folder, with its 1-based `{index}`.
        num_threads: Decoding threads per video; workers already use all cores, so 1.
        **kwargs: See `ImageModality` and `Modality`.
    """

    def __init__(
        self,
        source: str = 'rgb',
        template: str = 'frame_{index:010d}.jpg',
        num_threads: int = 1,
        **kwargs,
    ) -> None:
        super().__init__(source=source, **kwargs)
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
        reader = self._open(path)
        if frame_inds_F.max() >= len(reader):
            raise ValueError(
                f'Clip {record["sample_id"]!r} asks for frame {frame_inds_F.max()}, but {path} '
                f'has only {len(reader)} frames: the video is truncated, or the annotations '
                'belong to another version of it.'
            )
        unique, inverse = np.unique(frame_inds_F, return_inverse=True)
        try:
            return reader.get_batch(unique).asnumpy()[inverse]
        except decord.DECORDError as error:
            raise ValueError(
                f'{path} cannot be decoded at the frames of clip {record["sample_id"]!r} '
                f'({unique[0]}–{unique[-1]}): the file is damaged, fetch it again.'
            ) from error

    def _open(self, path: Path) -> decord.VideoReader:
        try:
            return decord.VideoReader(str(path), num_threads=self.num_threads)
        except (decord.DECORDError, RuntimeError) as error:
            raise ValueError(
                f'{path} cannot be opened as a video (truncated or not a video): fetch it again.'
            ) from error
