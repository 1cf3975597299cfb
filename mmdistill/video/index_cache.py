"""Indices that have been made, in memory and on disk: a file is walked through once, not per clip.

On disk they lie in the user's cache directory (XDG_CACHE_HOME, or ~/.cache), by the path, size and
time of their video. They may be deleted at any time.
"""

import contextlib
import hashlib
import io
import json
import os
import time
import warnings
import zipfile
from collections import OrderedDict
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from ..files import write_whole
from .container import VideoError
from .index import VideoIndex
from .orientation import Turn
from .scan import scan_video

# Another FFmpeg, or a change of what an index says, makes those on disk worthless.
VERSION = (1, av.__version__)
# So many pictures, which take about 50 MB, are remembered of the videos that were read last.
FRAMES_IN_MEMORY = 2_000_000
# Making an index again must take so long to be worth a file.
WORTH_KEEPING = 0.1


def index_video(path: str | Path, decode: bool = False) -> VideoIndex:
    """The exact index of a video, made once.

    Args:
        decode: Of a full decode, even if the packets seem to tell everything; from then on this one
            is kept.

    Raises:
        VideoError: There is no such file, it cannot be opened, or nothing in it can be decoded.
    """
    try:
        state = os.stat(path)
    except OSError as error:
        raise VideoError(f'There is no video {path} ({error.strerror}).') from error
    key = (os.path.abspath(path), state.st_size, state.st_mtime_ns)
    index = _in_memory.get(key) or _load(_place(key))
    if index is None or (decode and not index.decoded):
        began = time.perf_counter()
        index = scan_video(path, decode)
        if index.decoded or time.perf_counter() - began > WORTH_KEEPING:
            _store(_place(key), index)
    if key not in _in_memory and index.num_streams > 1:
        warnings.warn(
            f'{path} holds {index.num_streams} video streams; the default one is read.',
            stacklevel=2,
        )
    _in_memory.remember(key, index)
    return index


class _Memory(OrderedDict[tuple[str, int, int], VideoIndex]):
    """Indices by path, size and time of change of their file; the most recently used last."""

    frames = 0

    def remember(self, key: tuple[str, int, int], index: VideoIndex) -> None:
        """Put an index last, and forget those that were used longest ago."""
        earlier = self.pop(key, None)
        self.frames += index.num_frames - (earlier.num_frames if earlier else 0)
        self[key] = index
        while self.frames > FRAMES_IN_MEMORY and len(self) > 1:
            self.frames -= self.popitem(last=False)[1].num_frames


_in_memory = _Memory()


def _place(key: tuple[str, int, int]) -> Path:
    home = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    name = hashlib.sha256(repr((VERSION, *key)).encode()).hexdigest()[:32]
    return Path(home) / 'mmdistill' / 'video_index' / f'{name}.npz'


def _store(place: Path, index: VideoIndex) -> None:
    values = {field.name: getattr(index, field.name) for field in fields(index)}
    arrays = {name: values.pop(name) for name in list(values) if name.endswith(('_F', '_K'))}
    values |= {'tick': str(index.tick), 'turn': list(index.turn)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, other=np.array(json.dumps(values)), **arrays)
    # Without room or rights for it, it is made again next time.
    with contextlib.suppress(OSError):
        write_whole(place, buffer.getvalue())


def _load(place: Path) -> VideoIndex | None:
    try:
        with np.load(place, allow_pickle=False) as arrays:
            found = dict(arrays)
        other = json.loads(str(found.pop('other')))
        tick, turn = Fraction(other.pop('tick')), Turn(*other.pop('turn'))
        return VideoIndex(**found, **other, tick=tick, turn=turn)
    # Not there, of another version, or damaged: it is made again.
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None
