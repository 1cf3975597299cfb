"""Videos that are none, or damaged: each tool names the file, and does the others."""

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from bad_row import Row, truncate

VIDEO = 'videos/P01_01.mp4'
# Tool -> arguments and what it may leave: the results of the other videos, and why one has none.
TOOLS = {
    'tools/data/extract_flow.py': (
        "--videos 'videos/*.mp4' --out-template new/{video_id} --workers 0",
        ('new', 'new/**'),
    ),
    'tools/data/extract_detections.py': (
        "detector.py detector.pth --videos 'videos/*.mp4' --out new.h5 --device cpu --workers 0",
        ('new.h5', 'new.h5.*', 'new.h5.parts/**'),
    ),
    'tools/data/pack_hdf5.py': ("--videos 'videos/*.mp4' --out new.h5", ('new.h5.parts/**',)),
    'tools/data/check.py': ('expert.py --workers 0 --out-dir new', ('new', 'new/**')),
}


def content(data: bytes) -> Callable[[Path], None]:
    """What makes this the content of a video."""
    return lambda here: (here / VIDEO).write_bytes(data) and None


def sound_alone(here: Path) -> None:
    """The sound of a video under the name of a video."""
    with av.open(str(here / VIDEO)) as source, av.open(str(here / 'sound.mp4'), 'w') as out:
        stream = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    (here / 'sound.mp4').replace(here / VIDEO)


def image(here: Path) -> None:
    """A JPEG under the name of a video."""
    picture = np.zeros((48, 64, 3), np.uint8)
    (here / VIDEO).write_bytes(cv2.imencode('.jpg', picture)[1].tobytes())


OPENED = r'P01_01\.mp4 cannot be opened as a video.*fetch it again'
DAMAGED = [
    ('a video of no bytes', content(b''), OPENED),
    ('a page of text for a video', content(b'<p>Not found</p>' * 40), OPENED),
    ('noise for a video', content(bytes(range(256)) * 40), OPENED),
    ('a video whose index is lost', lambda here: truncate(here / VIDEO, 0.6), OPENED),
    ('a picture for a video', image, r'P01_01\.mp4 is a single image, not a video'),
    ('sound without pictures', sound_alone, r'P01_01\.mp4 has no video stream'),
]

ROWS = [
    Row(tool, what, arguments, expected, prepare=prepare, left=left, listed=True)
    for tool, (arguments, left) in TOOLS.items()
    for what, prepare, expected in DAMAGED
]
ROWS += [
    Row(
        'tools/data/extract_audio.py',
        what,
        "--videos 'videos/*.mp4' --out-template new/{video_id}.flac --workers 0",
        r'P01_01\.mp4 cannot be opened.*fetch it again',
        prepare=prepare,
        left=('new', 'new/**'),
        listed=True,
    )
    for what, prepare, expected in DAMAGED
    if expected == OPENED
]
