"""Read the frames of a video file one after the other, and notice when it is cut short."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

# Containers round their duration: so many frames may lack at the end of a sound video.
FRAMES_THAT_MAY_LACK = 2


class VideoError(RuntimeError):
    """A video that cannot be read, or not as far as is needed."""


class VideoInfo(NamedTuple):
    """What the container says (sizes in pixels, frames per second)."""

    num_frames: int
    width: int
    height: int
    fps: float

    @property
    def seconds(self) -> float:
        """Length of the video."""
        return self.num_frames / self.fps if self.fps > 0 else 0.0


# Stands for a video that cannot be opened, until its job says why.
NO_VIDEO = VideoInfo(0, 0, 0, 0.0)


def probe_video(path: str | Path) -> VideoInfo:
    """Read a video's header.

    Raises:
        VideoError: If the file does not exist or no video can be read from it.
    """
    capture = _open(path)
    info = _info(capture)
    capture.release()
    return info


def read_frames(
    path: str | Path, frame_inds: Sequence[int] | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (index, (H, W, 3) uint8 BGR) for the wanted frames, in increasing order.

    Args:
        frame_inds: Increasing 0-based indices; None reads all frames.

    Raises:
        VideoError: If the video ends before its header or `frame_inds` say.
    """
    capture = _open(path)
    if frame_inds is None:
        declared = max(0, _info(capture).num_frames)
        last, required = None, declared - FRAMES_THAT_MAY_LACK
    else:
        last = int(frame_inds[-1]) if len(frame_inds) else -1
        required = last + 1
    wanted = None if frame_inds is None else {int(index) for index in frame_inds}
    index = 0
    while (last is None or index <= last) and capture.grab():
        if wanted is None or index in wanted:
            decoded, frame = capture.retrieve()
            if not decoded:
                break
            yield index, frame
        index += 1
    capture.release()
    if index < max(required, 1 if wanted is None else 0):
        raise VideoError(f'{path} ends after {index} frames, {required} are needed: cut short?')


def _open(path: str | Path) -> cv2.VideoCapture:
    if not Path(path).is_file():
        raise VideoError(f'There is no video {path}.')
    # One thread: the workers are the parallelism.
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        raise VideoError(f'{path} cannot be opened as a video: damaged or cut short?')
    return capture


def _info(capture: cv2.VideoCapture) -> VideoInfo:
    keys = (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    sizes = (int(capture.get(key)) for key in keys)
    return VideoInfo(*sizes, capture.get(cv2.CAP_PROP_FPS))
