"""What modalities made of images share: moving pixels, packing, folders of frames."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmaction.datasets.transforms import FormatShape
from mmcv.transforms import Compose

from ..geometry import move_image
from ..registry import TRANSFORMS
from .base import Modality, repeated
from .frame_pack import FramePack, decode_image, is_pack


class ImageModality(Modality):
    """A modality whose frames are uint8 images (F, H, W, channels).

    Args:
        input_format: MMAction2's FormatShape layout for the recognizer that reads it: 'NCTHW' for
            3D recognizers, 'NCHW' for 2D ones.
        transforms: MMAction2 transforms that act on the moved frames (`imgs`) without changing
            their geometry, such as ColorJitter.
        **kwargs: `source`, `clip_len`, `size`, `optional` of `Modality`.
    """

    channels = 3
    fill = 0

    def __init__(
        self,
        input_format: str = 'NCTHW',
        transforms: list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.format_shape = FormatShape(input_format=input_format)
        self.transforms = Compose([TRANSFORMS.build(t) for t in transforms or ()])
        self._pack: FramePack | None = None

    def found(self, record: dict[str, Any]) -> bool:
        """Whether the clip has images; a pack holds many clips, so it is looked into."""
        if not super().found(record):
            return False
        return not (self.optional and is_pack(self.path(record))) or self.pack_of(record).has(
            record
        )

    def pack_of(self, record: dict[str, Any]) -> FramePack:
        """The HDF5 file that holds the images of a clip."""
        path = self.path(record)
        if self._pack is None or self._pack.path != path:
            self._pack = FramePack(path)
        return self._pack

    def frame_shape(self, record: dict[str, Any], frames_F: np.ndarray) -> tuple[int, int]:
        """Height and width of the images."""
        return frames_F.shape[1:3]

    def move(
        self, frames_F: np.ndarray, crop_4: np.ndarray, flip: bool, size: tuple[int, int]
    ) -> np.ndarray:
        """Cut, resize and mirror every frame, then run the pixel transforms."""
        moved = np.stack([move_image(frame, crop_4, flip, size) for frame in frames_F])
        if not self.transforms.transforms:
            return moved
        results = self.transforms(dict(imgs=list(moved), modality='RGB', img_shape=size))
        return np.stack(results['imgs'])

    def pack(self, crops: list[np.ndarray], num_clips: int, clip_len: int) -> np.ndarray:
        """Lay out as FormatShape does: (C * V, channels, T, H, W) for 'NCTHW'."""
        imgs = [frame for frames in crops for frame in frames]
        results = dict(imgs=imgs, num_clips=num_clips, clip_len=clip_len)
        return self.format_shape.transform(results)['imgs']

    def missing(self, num_frames: int, size: tuple[int, int]) -> np.ndarray:
        """Constant frames."""
        return np.full((num_frames, *size, self.channels), self.fill, dtype=np.uint8)


class FrameFolder:
    """A folder of numbered images, one per frame.

    Args:
        folder: The folder.
        template: File name with `{index}`, the 1-based number of the frame, as EPIC-KITCHENS and
            Something-Else publish them.
    """

    def __init__(self, folder: Path, template: str = 'frame_{index:010d}.jpg') -> None:
        self.folder = folder
        self.template = template

    def read(self, frame_index: int, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
        """Decode the frame with a 0-based index; BGR or grey as OpenCV gives it.

        Raises:
            FileNotFoundError: The image is missing.
            ValueError: The image cannot be decoded or is cut short.
        """
        path = self.folder / self.template.format(index=frame_index + 1)
        if not path.is_file():
            raise FileNotFoundError(
                f'Frame {frame_index} (0-based) is missing: {path}. Extract the whole video, or '
                'correct start_frame and stop_frame of the clip.'
            )
        return decode_image(path.read_bytes(), str(path), flags)


def unique_frames(frame_inds_F: np.ndarray, read_one: Any) -> np.ndarray:
    """Read each distinct frame once and repeat it where an index repeats (looped short clips)."""
    unique, inverse = np.unique(frame_inds_F, return_inverse=True)
    return repeated(np.stack([read_one(int(index)) for index in unique]), inverse)
