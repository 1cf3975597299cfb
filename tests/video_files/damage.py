"""Files that are damaged, or no videos: read as far as a player shows them, or refused."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
from barcode import draw
from containers import MP2, MP3, MPEG2, MPEG4
from encode import Picture, write
from kinds import EITHER, REFUSED, Kind, made_from

FIRST = dict(options=dict(movflags='faststart'))
AVI, MPG = dict(pictures=[MPEG4], sound=MP3), dict(pictures=[MPEG2], sound=MP2)


def drop_beginning(source: Path, path: Path) -> None:
    """Without the first tenth: it begins between key frames."""
    content = source.read_bytes()
    path.write_bytes(content[len(content) // 10 // 188 * 188 :])


def shorten(source: Path, path: Path) -> None:
    """Only the first two thirds of the bytes, as of an interrupted download."""
    content = source.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


def spoil(source: Path, path: Path) -> None:
    """Bytes in the middle are overwritten."""
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = b'\x5a' * 1500
    path.write_bytes(content)


def other_size(path: Path) -> None:
    """Pictures become larger in the middle, as a transport stream may."""
    write(path, [replace(Picture(), numbers=range(30))])
    first = path.read_bytes()
    write(path, [replace(Picture(), numbers=range(30, 60), size=(128, 96))])
    path.write_bytes(first + path.read_bytes())


def write_jpeg(path: Path) -> None:
    """A picture under the name of a video."""
    path.write_bytes(cv2.imencode('.jpg', draw(0)[..., ::-1])[1].tobytes())


def _damaged(name: str, what: str, change: Callable[[Path, Path], None], **kwargs) -> Kind:
    make = made_from(change, f'source{Path(name).suffix}', **kwargs)
    # Pictures begin later than the stream does: the sound tells.
    has_sound = name == 'no_first_key.ts'
    return Kind(name, what, make, expected=EITHER, has_sound=has_sound)


def _no_video(name: str, what: str, make: Callable[[Path], None], expected: str = REFUSED) -> Kind:
    return Kind(name, what, make, replace(Picture(), numbers=[0]), None, None, False, expected)


KINDS = [
    _damaged('no_first_key.ts', 'the first key frame is missing', drop_beginning),
    _damaged('no_first_key.mpg', 'the first key frame is missing', drop_beginning, **MPG),
    Kind(
        'other_size.ts', 'another size in the middle', other_size, expected=EITHER, has_sound=False
    ),
    _damaged('truncated.mp4', 'truncated, index first', shorten, **FIRST),
    _damaged('truncated.mkv', 'truncated', shorten),
    _damaged('truncated.ts', 'truncated', shorten),
    _damaged('truncated.flv', 'truncated', shorten),
    _damaged('truncated.avi', 'truncated', shorten, **AVI),
    _damaged('spoilt.mp4', 'bytes overwritten', spoil),
    _damaged('spoilt.mkv', 'bytes overwritten', spoil),
    _damaged('spoilt.ts', 'bytes overwritten', spoil),
    _no_video('truncated_index.mp4', 'truncated, index lost', made_from(shorten)),
    _no_video('empty.mp4', 'no bytes', Path.touch),
    _no_video('text.mp4', 'a page of text', lambda path: path.write_text('<p>Not found</p>' * 40)),
    _no_video('sound_only.mp4', 'no pictures', partial(write, pictures=[])),
    _no_video('jpeg.mp4', 'a JPEG', write_jpeg, EITHER),
]
