"""Frames of many clips in one HDF5 file, as the paper's authors publish them.

A dataset per clip, whose n-th element is the bytes of the n-th image: `<video>` where a clip is a
whole video (Something-Something), `<video>/<narration>` where it is a segment (EPIC-KITCHENS) and
element 0 its first frame. Optical flow is either one colour image per frame (red u, green v) or
two grey ones, u at 2 n and v at 2 n + 1.
https://github.com/gorjanradevski/multimodal-distillation
`mmdistill pack-hdf5` writes the same.

Shape legend: F frames that are read.
"""

from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np

from .base import repeated
from .flow_encoding import flow_image
from .hdf5_file import HDF5File

SUFFIXES = ('.h5', '.hdf5')


def is_pack(path: Path) -> bool:
    """Whether a path names a pack and not a video or a folder."""
    return path.suffix.lower() in SUFFIXES


class FramePack(HDF5File):
    """The images of clips in one file."""

    def has(self, record: dict[str, Any]) -> bool:
        return any(isinstance(self.find(key), h5py.Dataset) for key, _ in _keys(record))

    def num_images(self, record: dict[str, Any]) -> int:
        """Images of the clip; twice the frames where u and v are images of their own."""
        return len(self._dataset(record)[0])

    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Images (F, H, W, 3), RGB, at absolute 0-based indices of the video.

        Raises:
            KeyError: The file does not know the clip.
            ValueError: It has too few frames, or an image is damaged; names file, clip and frame.
        """
        unique, inverse = np.unique(frame_inds_F, return_inverse=True)
        images = self._decode(record, unique, 1, cv2.IMREAD_COLOR)
        frames = np.stack([cv2.cvtColor(image, cv2.COLOR_BGR2RGB) for image in images])
        return repeated(frames, inverse)

    def read_flow(
        self, record: dict[str, Any], frame_inds_F: np.ndarray, channels: int = 2
    ) -> np.ndarray:
        """Flow (F, H, W, channels), u and v as uint8, at absolute 0-based indices of the video.

        Args:
            record: The clip.
            frame_inds_F: The frames.
            channels: 2, or 3 with a constant one.

        Raises:
            KeyError, ValueError: As `read`.
        """
        unique, inverse = np.unique(frame_inds_F, return_inverse=True)
        if self._is_colour(record):
            images = self._decode(record, unique, 1, cv2.IMREAD_COLOR)
            pairs = [(image[..., 2], image[..., 1]) for image in images]
        else:
            planes = self._decode(record, unique, 2, cv2.IMREAD_GRAYSCALE)
            pairs = list(zip(planes[0::2], planes[1::2], strict=True))
        return repeated(np.stack([flow_image(u, v, channels) for u, v in pairs]), inverse)

    def _is_colour(self, record: dict[str, Any]) -> bool:
        dataset, _ = self._dataset(record)
        name = f'{self.path}, {dataset.name}, image 0'
        if not len(dataset):
            raise ValueError(f'{name} is missing, the clip is empty; pack it again.')
        return decode_image(_bytes(dataset[0]), name, cv2.IMREAD_UNCHANGED).ndim == 3

    def _decode(
        self, record: dict[str, Any], frames: np.ndarray, per_frame: int, flags: int
    ) -> list[np.ndarray]:
        """The `per_frame` images of each of some increasing frames."""
        dataset, start = self._dataset(record)
        rows = ((frames - start)[:, None] * per_frame + np.arange(per_frame)).ravel()
        if rows.min() < 0 or rows.max() >= len(dataset):
            raise ValueError(
                f'{self.path}: clip {record["sample_id"]!r} asks for image {rows.max()} of '
                f'{dataset.name}, which has {len(dataset)}. Packs of EPIC-KITCHENS count frames as '
                'published: set video_info=None on the data set, or pack the whole clip.'
            )
        where = f'{self.path}, {dataset.name}'
        return [
            decode_image(_bytes(content), f'{where}, image {row}', flags)
            for row, content in zip(rows, dataset[rows], strict=True)
        ]

    def _dataset(self, record: dict[str, Any]) -> tuple[h5py.Dataset, int]:
        """The images of a clip, and the frame of the video that the first one is."""
        for key, start in _keys(record):
            node = self.find(key)
            if isinstance(node, h5py.Dataset):
                return node, start
        known = list(self.file())
        raise KeyError(
            f'{self.path} holds neither {" nor ".join(repr(key) for key, _ in _keys(record))}; its '
            f'{len(known)} entries are {", ".join(known[:3])}{", …" if len(known) > 3 else ""}. '
            'Pack this clip too, or correct the path in media.'
        )


def decode_image(content: bytes, name: str, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
    """Decode one image; BGR or grey as OpenCV gives it.

    Raises:
        ValueError: It is damaged or cut short; begins with `name`.
    """
    # OpenCV fills the rest of a JPEG that is cut short with grey, without a word. Its end marker
    # cannot occur in the compressed data, which the last start-of-scan marker begins.
    is_cut = content[:2] == b'\xff\xd8' and content.rfind(b'\xff\xd9') < content.rfind(b'\xff\xda')
    image = None
    if content and not is_cut:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if image is None:
        problem = 'is cut short' if is_cut else 'is not a readable image'
        raise ValueError(f'{name} {problem}; extract it again.')
    return image


def _keys(record: dict[str, Any]) -> list[tuple[str, int]]:
    """Where a clip may be, and the frame of the video at which that begins."""
    video_id = record['video_id']
    return [(f'{video_id}/{record["sample_id"]}', record.get('start_frame', 0)), (video_id, 0)]


def _bytes(content: Any) -> bytes:
    return content.tobytes() if isinstance(content, np.ndarray) else bytes(content)
