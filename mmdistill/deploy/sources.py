"""Where frames come from: video files, folders of images, arrays.

Shape legend: F = frames.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..files import find_paths
from ..ranges import POSITIVE
from ..video import index_video, read_clip

VIDEO_SUFFIXES = frozenset(
    [
        '.3gp',
        '.asf',
        '.avi',
        '.flv',
        '.m2ts',
        '.m4v',
        '.mkv',
        '.mov',
        '.mp4',
        '.mpeg',
        '.mpg',
        '.mts',
        '.ogv',
        '.ts',
        '.webm',
        '.wmv',
    ]
)


class Source(Protocol):
    """Something that has frames.

    Attributes:
        name: For results and errors.
        num_frames: How many there are.
        frames_per_second: On average.
    """

    name: str
    num_frames: int
    frames_per_second: float

    def read(self, frame_inds_F: np.ndarray) -> np.ndarray:
        """Frames (F, H, W, 3) uint8 RGB, upright; numbers may repeat, in any order."""

    def seconds(self, frame: int) -> float:
        """When a frame is shown, from the first; of the number behind the last one, the end."""


class VideoSource:
    """A video file, read by `mmdistill.video`.

    Args:
        path: The file.
        num_threads: Decoding threads.

    Raises:
        VideoError: It cannot be read.
    """

    def __init__(self, path: str | Path, num_threads: int = 1) -> None:
        self.path, self.num_threads = Path(path), num_threads
        index = index_video(self.path)
        self.name = str(path)
        self.num_frames = index.num_frames
        self.frames_per_second = index.frames_per_second
        self._times_F = index.times_F
        self._end = index.seconds

    def read(self, frame_inds_F: np.ndarray) -> np.ndarray:
        """See `Source`."""
        unique, inverse = np.unique(frame_inds_F, return_inverse=True)
        return read_clip(self.path, unique, self.num_threads)[inverse]

    def seconds(self, frame: int) -> float:
        """See `Source`."""
        if frame < self.num_frames:
            return float(self._times_F[frame] - self._times_F[0])
        return self._end


class ArraySource:
    """Frames in memory.

    Args:
        frames_FHW3: uint8 RGB.
        frames_per_second: Of them.
        name: For results and errors.

    Raises:
        ValueError: It is no array of RGB frames.
    """

    def __init__(
        self, frames_FHW3: np.ndarray, frames_per_second: float = 30.0, name: str = 'array'
    ) -> None:
        shape, kind = frames_FHW3.shape, frames_FHW3.dtype
        if len(shape) != 4 or shape[3] != 3 or not len(frames_FHW3) or kind != np.uint8:
            raise ValueError(
                f'Expected RGB frames (F, H, W, 3) of uint8, got {shape} of {kind}; one frame is '
                'frames[None].'
            )
        POSITIVE.check(frames_per_second=frames_per_second)
        self.frames, self.frames_per_second, self.name = frames_FHW3, frames_per_second, name
        self.num_frames = len(frames_FHW3)

    def read(self, frame_inds_F: np.ndarray) -> np.ndarray:
        """See `Source`."""
        return self.frames[frame_inds_F]

    def seconds(self, frame: int) -> float:
        """See `Source`."""
        return frame / self.frames_per_second


def video_paths(videos: Any) -> list[Path]:
    """The files that paths, patterns and folders ask for, in that order; of a folder its videos.

    Raises:
        FileNotFoundError: A path or pattern matches nothing, or a folder holds no video.
    """
    asked: Iterable[Any] = [videos] if isinstance(videos, (str, Path)) else videos
    found: list[Path] = []
    for path in [path for item in asked for path in find_paths([item])]:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(p for p in path.rglob('*') if p.suffix.lower() in VIDEO_SUFFIXES)
        if not inside:
            raise FileNotFoundError(f'{path} holds no video ({", ".join(sorted(VIDEO_SUFFIXES))}).')
        found += inside
    return found


def is_array(videos: Any) -> bool:
    """Whether it is frames, not names of files."""
    return isinstance(videos, np.ndarray) or (
        isinstance(videos, Sequence)
        and not isinstance(videos, str)
        and bool(videos)
        and all(isinstance(item, np.ndarray) for item in videos)
    )


def is_live(videos: Any) -> bool:
    """Whether it is the number of a webcam or the address of a stream."""
    return isinstance(videos, int) or (isinstance(videos, str) and '://' in videos)
