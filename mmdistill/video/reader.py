"""Pictures of a video by number: the n-th that is shown, upright, whatever the container.

Decoding starts at the key frame before the picture that is wanted. Every picture that comes is
looked up in the index and must be the next one. Where it is not (a container that seeks badly, an
index that its packets told wrongly), the file is decoded from its start, then anew with an index of
a full decode; what cannot be found even so is an error, never another picture.

Shape legend: F = pictures that are read.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from .container import OpenVideo, VideoError, open_video
from .index import VideoIndex
from .index_cache import index_video

# Seeking is worth it where it leaves out so many pictures.
WORTH_SEEKING = 8
BEGINNING = -1
# Types of pictures that refer to others.
NOT_ALONE = (PictureType.P, PictureType.B, PictureType.S, PictureType.BI)


class Mismatch(Exception):
    """Another picture came than the index promises."""


def read_clip(path: str | Path, frame_inds_F: np.ndarray, num_threads: int = 1) -> np.ndarray:
    """Pictures (F, H, W, 3) uint8 RGB, upright.

    Args:
        path: The file.
        frame_inds_F: Increasing 0-based numbers, each once.
        num_threads: Decoding threads.

    Raises:
        VideoError: It cannot be opened, has fewer pictures, or is damaged there.
    """
    clip = None
    for place, (_, picture) in enumerate(read_frames(path, frame_inds_F, 'rgb24', num_threads)):
        if clip is None:
            clip = np.empty((len(frame_inds_F), *picture.shape), np.uint8)
        clip[place] = picture
    return clip


def read_frames(
    path: str | Path,
    frame_inds_F: Sequence[int] | None = None,
    pixel_format: str = 'bgr24',
    num_threads: int = 1,
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (number, (H, W, 3) uint8) of pictures, upright, one after the other.

    Args:
        frame_inds_F: Increasing 0-based numbers, each once; None is every picture of the video.
        pixel_format: 'bgr24' or 'rgb24'.
        num_threads: Decoding threads.

    Raises:
        VideoError: It cannot be opened, has fewer pictures, or is damaged there; where every
            picture is asked for, also if the file is truncated.
    """
    index = index_video(path)
    if frame_inds_F is None and index.damage:
        raise VideoError(f'{path} ends after {index.num_frames} frames: {index.damage}.')
    wanted = range(index.num_frames) if frame_inds_F is None else [int(i) for i in frame_inds_F]
    # One converter for all pictures: making it takes longer than converting a small one.
    converter, found = VideoReformatter(), 0
    for from_beginning, decode in ((False, False), (True, False), (False, True), (True, True)):
        index = index_video(path, decode=decode)
        check_range(path, index, wanted)
        try:
            for number, frame in _decode(path, index, wanted[found:], from_beginning, num_threads):
                yield number, _upright(converter, frame, index, pixel_format)
                found += 1
            return
        except (Mismatch, av.FFmpegError):
            continue
    raise VideoError(
        f'{path} cannot be decoded at frame {wanted[found]}: the file is damaged there; '
        'fetch it again.'
    )


def check_range(path: str | Path, index: VideoIndex, wanted: Sequence[int]) -> None:
    """Raise `VideoError` if the last of these numbers is beyond the video."""
    if len(wanted) and wanted[-1] >= index.num_frames:
        reason = index.damage or 'the video is truncated, or the annotations are of another version'
        raise VideoError(
            f'{path} has only {index.num_frames} frames, but frame {wanted[-1]} (counted from 0) '
            f'is asked for: {reason}; fetch it again.'
        )


def _decode(
    path: str | Path,
    index: VideoIndex,
    wanted: Sequence[int],
    from_beginning: bool,
    num_threads: int,
) -> Iterator[tuple[int, av.VideoFrame]]:
    with open_video(path, num_threads) as video:
        frames, coming = None, 0
        for number in wanted:
            # Looked for only where there is something to leave out.
            if frames is None or number > coming + WORTH_SEEKING:
                key = BEGINNING if from_beginning else index.key_before(number)
                start = 0 if key == BEGINNING else int(index.keys_K[key])
                if frames is None or start > coming + WORTH_SEEKING:
                    frames, coming = _pictures(video, index, key, start), start
            while coming <= number:
                frame = next(frames, None)
                coming += 1
                if frame is None:
                    raise Mismatch
            if frame.is_corrupt:
                raise Mismatch
            yield number, frame


def _pictures(video: OpenVideo, index: VideoIndex, key: int, start: int) -> Iterator[av.VideoFrame]:
    """The pictures from number `start` on, which is shown first of those from a key frame on.

    Raises:
        Mismatch: Another one came than the next in the index.
    """
    coming, begun = start, False
    for packet in _packets(video, index, key):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            if begun or key != BEGINNING:
                raise
            continue  # as when the index was made: it begins amid pictures that refer to others
        for frame in frames:
            if index.known_by != 'order' and frame.pts != index.stamps_F[coming]:
                # Those that are shown before the key frame may lack what they refer to.
                if not begun and (index.position(frame.pts) or 0) < start:
                    continue
                raise Mismatch
            # Some files call every picture a key frame, and some decoders begin at any.
            if not begun and key != BEGINNING and frame.pict_type in NOT_ALONE:
                raise Mismatch
            begun = True
            coming += 1
            yield frame
            if coming == index.num_frames:
                return


def _packets(video: OpenVideo, index: VideoIndex, key: int) -> Iterator['av.Packet[Any]']:
    """The packets from a key frame on: nothing is decoded that leads up to it."""
    begun, by_dts = key == BEGINNING, index.known_by == 'dts'
    if not begun:
        video.container.seek(int(index.seeks_K[key]), stream=video.stream)
    stamp = None if begun else int(index.key_stamps_K[key])
    for packet in video.container.demux(video.stream):
        begun = begun or (packet.dts if by_dts else packet.pts) == stamp
        if begun:
            if by_dts:
                packet.pts = packet.dts  # the decoder hands it on to the picture
            yield packet


def _upright(
    converter: VideoReformatter, frame: av.VideoFrame, index: VideoIndex, pixel_format: str
) -> np.ndarray:
    """A view into the converted picture (H, W, 3)."""
    # The size is that of the first picture, should it change on the way. Workers are the
    # parallelism, and a second thread costs more than it brings.
    converted = converter.reformat(frame, index.width, index.height, pixel_format, threads=1)
    plane = converted.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(index.height, plane.line_size)
    return index.turn.apply(rows[:, : 3 * index.width].reshape(index.height, index.width, 3))
