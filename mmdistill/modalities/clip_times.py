"""When the frames of a clip are shown: for sound, and for whatever else is timed in seconds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..video import FrameTimes, index_video
from .frame_pack import is_pack


def times_of_clip(
    record: dict[str, Any],
    fps: float | None = None,
    source: str = 'rgb',
    own: Callable[[], FrameTimes | None] = lambda: None,
) -> FrameTimes | None:
    """The times of the frames that a record counts; None where nothing tells them.

    Args:
        record: Its video of RGB tells them, each frame's by its own time stamp. Where frames are
            images, or the record names none, `avg_fps` says their rate.
        fps: Frames per second, which count more than all else.
        source: Entry of `media` that holds the video.
        own: Asked where neither knows them.

    Raises:
        VideoError: The video cannot be read.
    """
    if fps:
        return FrameTimes.constant(fps)
    video = record['media'].get(source)
    if video is not None and Path(video).is_file() and not is_pack(Path(video)):
        return index_video(video).frame_times
    if record.get('avg_fps'):
        return FrameTimes.constant(record['avg_fps'])
    return own()
