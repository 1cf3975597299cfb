"""Reading video: an exact index, one reader, upright pictures, each at its own time."""

from .by_decord import read_clip_by_decord
from .container import VideoError
from .frame_times import FrameTimes
from .index import VideoIndex
from .index_cache import index_video
from .reader import read_clip, read_frames

__all__ = [
    'FrameTimes',
    'VideoError',
    'VideoIndex',
    'index_video',
    'read_clip',
    'read_clip_by_decord',
    'read_frames',
]
