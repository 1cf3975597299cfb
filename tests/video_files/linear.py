"""What FFmpeg's libraries show of a file when it is decoded from its beginning, by PyAV."""

from pathlib import Path

import av
from barcode import read


def linear(path: Path) -> list[tuple[int | None, float | None, tuple[int, int]]]:
    """Number, second and stored size of every picture of the default stream."""
    with av.open(str(path)) as file:
        stream = file.streams.best('video')
        return [
            (read(f.to_ndarray(format='rgb24')).number, f.time, (f.width, f.height))
            for f in file.decode(stream)
        ]
