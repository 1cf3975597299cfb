"""What FFmpeg's libraries show of a file when it is decoded from its beginning, by PyAV."""

from dataclasses import replace
from pathlib import Path

import av
from barcode import UNREADABLE, number_of
from kinds import EITHER, Kind


def as_shown(kind: Kind, path: Path) -> Kind:
    """The kind with what a player shows of a damaged file; others are known from their making."""
    if kind.expected != EITHER:
        return kind
    return replace(kind, numbers=linear(path), times_matter=False)


def linear(path: Path) -> list[int]:
    """The number of every picture of the default stream that can be decoded."""
    found: list[int] = []
    with av.open(str(path)) as file:
        try:
            for frame in file.decode(file.streams.best('video')):
                # What FFmpeg itself knows to be guessed is no picture of the video.
                whole = not frame.is_corrupt
                found.append(number_of(frame.to_ndarray(format='rgb24')) if whole else UNREADABLE)
        except av.FFmpegError:
            return found
    return found
