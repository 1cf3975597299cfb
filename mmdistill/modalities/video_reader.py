"""Frames of a video file by index: by PyAV where their times tell their numbers, else by decord.

decord reads a whole file to number its frames, an hour of video for two seconds of it. Where the
frame rate is constant, as the container says and every decoded frame confirms, the number of a
frame follows from its time, and PyAV reads from the key frame before the clip.

Shape legend: F frames that are read.
"""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import decord
import numpy as np
from av.video.reformatter import VideoReformatter

READERS = ('auto', 'pyav', 'decord')


class NotNumbered(Exception):
    """The times of a video's frames do not tell their numbers."""


class VideoDamaged(Exception):
    """A video cannot be opened, or not be decoded; `opened` says which."""

    def __init__(self, opened: bool) -> None:
        super().__init__()
        self.opened = opened


class Timing(NamedTuple):
    """When frame n is shown: at `start + n * step`, in units of the stream's time base."""

    start: int
    step: int
    num_frames: int


def read_video(
    path: Path, frame_inds_F: np.ndarray, reader: str = 'auto', num_threads: int = 1
) -> np.ndarray:
    """Decode frames (F, H, W, 3), RGB.

    Args:
        path: The file.
        frame_inds_F: Increasing 0-based indices, each once.
        reader: 'pyav', 'decord', or 'auto': PyAV where it can, decord elsewhere.
        num_threads: Decoding threads.

    Raises:
        IndexError: The video has fewer frames; its argument is their number.
        NotNumbered: Only for 'pyav': its frame rate is not constant, or not known.
        VideoDamaged: It cannot be read.
    """
    if reader != 'decord':
        try:
            return read_by_pyav(path, frame_inds_F, num_threads)
        except NotNumbered:
            if reader == 'pyav':
                raise
    return read_by_decord(path, frame_inds_F, num_threads)


def read_by_decord(path: Path, frame_inds_F: np.ndarray, num_threads: int = 1) -> np.ndarray:
    """As `read_video`."""
    try:
        video = decord.VideoReader(str(path), num_threads=num_threads)
    except (decord.DECORDError, RuntimeError) as error:
        raise VideoDamaged(opened=False) from error
    if frame_inds_F[-1] >= len(video):
        raise IndexError(len(video))
    try:
        return video.get_batch(frame_inds_F).asnumpy()
    except decord.DECORDError as error:
        raise VideoDamaged(opened=True) from error


def read_by_pyav(path: Path, frame_inds_F: np.ndarray, num_threads: int = 1) -> np.ndarray:
    """As `read_video`."""
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise VideoDamaged(opened=False) from error
    with container:
        if not container.streams.video:
            raise VideoDamaged(opened=False)
        stream = container.streams.video[0]
        timing = timing_of(stream)
        if frame_inds_F[-1] >= timing.num_frames:
            raise IndexError(timing.num_frames)
        stream.codec_context.thread_count = num_threads
        stream.codec_context.thread_type = 'AUTO' if num_threads > 1 else 'NONE'
        try:
            return _decode(container, stream, timing, frame_inds_F)
        except av.FFmpegError as error:
            raise VideoDamaged(opened=True) from error


def timing_of(stream: av.VideoStream) -> Timing:
    """How frames are timed, if the container says that all of them are equally far apart.

    Raises:
        NotNumbered: It does not.
    """
    rate, start, count = stream.average_rate, stream.start_time, stream.frames
    if not rate or rate != stream.base_rate or start is None or not count:
        raise NotNumbered
    step = 1 / (Fraction(rate) * stream.time_base)
    if step.denominator != 1:
        raise NotNumbered
    return Timing(start, int(step), count)


def _decode(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    timing: Timing,
    frame_inds_F: np.ndarray,
) -> np.ndarray:
    wanted = {int(index): place for place, index in enumerate(frame_inds_F)}
    first, last = int(frame_inds_F[0]), int(frame_inds_F[-1])
    container.seek(timing.start + first * timing.step, stream=stream)
    # One converter for all frames: making it takes longer than converting a small frame.
    converter = VideoReformatter()
    frames: np.ndarray | None = None
    found = 0
    for frame in container.decode(stream):
        if frame.pts is None or (frame.pts - timing.start) % timing.step:
            raise NotNumbered
        index = (frame.pts - timing.start) // timing.step
        if index in wanted:
            if frame.is_corrupt:
                raise VideoDamaged(opened=True)
            pixels = converter.reformat(frame, format='rgb24').to_ndarray()
            if frames is None:
                frames = np.empty((len(wanted), *pixels.shape), np.uint8)
            frames[wanted[index]] = pixels
            found += 1
        if index >= last:
            break
    if found < len(wanted):
        raise VideoDamaged(opened=True)
    return frames
