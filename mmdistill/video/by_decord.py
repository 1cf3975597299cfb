"""The same pictures read by decord: only from files where it numbers and turns them alike.

Shape legend: F = pictures that are read.
"""

from pathlib import Path

import numpy as np

from .container import VideoError, open_video
from .index import VideoIndex
from .index_cache import index_video
from .orientation import Turn
from .reader import check_range
from .scan import TRUSTED_CONTAINERS


def read_clip_by_decord(
    path: str | Path, frame_inds_F: np.ndarray, num_threads: int = 1
) -> np.ndarray:
    """As `read_clip`.

    decord neither turns pictures nor counts those of AVI files and MPEG streams as players do.

    Raises:
        VideoError: As `read_clip`; also a file that decord reads otherwise.
    """
    import decord

    index = index_video(path)
    check_range(path, index, frame_inds_F)
    try:
        video = decord.VideoReader(str(path), num_threads=num_threads)
        alike = len(video) == index.num_frames and index.num_streams == 1
        if not alike or index.turn != Turn() or not _seeks_well(path, index):
            raise VideoError(
                f'decord counts or turns the frames of {path} ({index.codec}) otherwise than '
                "players do: leave out reader='decord'."
            )
        return video.get_batch(frame_inds_F).asnumpy()
    except (decord.DECORDError, RuntimeError) as error:
        raise VideoError(
            f"{path} cannot be decoded by decord: leave out reader='decord'."
        ) from error


def _seeks_well(path: str | Path, index: VideoIndex) -> bool:
    """Whether the container states a time for each picture, and finds it again."""
    with open_video(path) as video:
        names = set(video.container.format.name.split(','))
    return index.known_by == 'pts' and bool(names & TRUSTED_CONTAINERS)
