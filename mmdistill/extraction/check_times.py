"""Whether extracted sound knows when the frames of its video are shown."""

from pathlib import Path

import numpy as np

from mmdistill.video import FrameTimes

# Seconds that do not matter: sound is no sharper in a log-mel image.
TOLERANCE = 0.04


def otherwise_timed(path: Path, times: FrameTimes | None, wanted: FrameTimes) -> list[str]:
    """A sentence if a sound file has its video's frames at other times.

    Args:
        path: The sound file.
        times: By its tags; None if it has none.
        wanted: By the index of the video.
    """
    if times is None:
        return [f'{path} does not say when the frames of its video are shown: extract it again']
    frames_F = np.arange(len(wanted.times_F))
    furthest = np.abs(times.at(frames_F) - wanted.times_F).max()
    if furthest <= TOLERANCE:
        return []
    return [
        f'{path} has frames of its video up to {furthest:.2f} s off: the rate varies, which an '
        'older version of extract_audio.py did not know; extract it again'
    ]
