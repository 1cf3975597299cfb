"""Pack the frames of clips into one HDF5 file, so that a kill at any moment loses no finished clip.

Every clip grows in a file of its own below `<out>.parts`, is read back, and only then gets its
name. When all clips are there, they are copied into one file, which is read back too and appears
under its name at once; the parts are then removed. The layout is that of
`mmdistill.modalities.frame_pack`; a dataset's attribute `sha256` is the hash of all its images.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import h5py
import numpy as np

from ..files import remove, write_whole
from ..modalities.hdf5_file import find, open_hdf5
from ..video import VideoError, read_frames
from .outputs import not_replaced

IMAGES = ('.jpg', '.jpeg', '.png')
SETTINGS = 'settings.json'
# What a folder of parts may hold; whatever else is not of our making.
OURS = re.compile(r'[0-9a-f]{32}\.(h5|partial)|\.?settings\.json(\.[\w.]+)?')


@dataclass(frozen=True)
class Clip:
    """One dataset to write.

    Args:
        name: Its name: `<video>` or `<video>/<narration>`.
        images: Gives the bytes of its images, in order.
    """

    name: str
    images: Callable[[], Iterable[bytes]]


class Packed(NamedTuple):
    """How many clips are in the file, or in its parts, and why the others are not."""

    num_clips: int
    failures: dict[str, str]


def pack_clips(
    clips: Iterable[Clip], out: Path, settings: dict[str, Any], report: Callable[[str], None]
) -> Packed:
    """Write all clips that are not there yet, then the file: it is made of all clips or not at all.

    Where a clip cannot be read, the others are packed, and their parts are kept.

    Args:
        clips: What to pack; names must be unique.
        out: The HDF5 file to be; one that is there is an error.
        settings: What the bytes depend on; parts of a run with others are an error.
        report: Told about every clip that was written.

    Raises:
        FileExistsError: `out` is there.
        ValueError: The parts are those of a run with other settings, or not ours; names repeat, or
            what was written reads back otherwise.
    """
    parts = out.with_name(f'{out.name}.parts')
    _check_parts(parts)
    if out.exists():
        if not _all_inside(parts, out):
            raise FileExistsError(f'{out} is there already; move it away, or give another --out.')
        # Killed when the file had its name already and its parts were still there.
        _remove_parts(parts)
        return Packed(len(_clips(out)), {})
    _check_settings(parts, settings)
    names: dict[str, Path] = {}
    failures: dict[str, str] = {}
    for number, clip in enumerate(clips):
        if clip.name in names:
            raise ValueError(f'Two clips are called {clip.name!r}; names must be unique.')
        # A name may hold slashes and any other character.
        names[clip.name] = parts / f'{hashlib.sha256(clip.name.encode()).hexdigest()[:32]}.h5'
        if not names[clip.name].exists():
            try:
                images = [np.frombuffer(content, np.uint8) for content in clip.images()]
            except (VideoError, OSError) as error:
                failures[clip.name] = str(error)
                continue
            _write_part(clip.name, images, names[clip.name])
            report(f'{number + 1}: {clip.name}')
    if not failures and names:
        _join(names, out)
    if len(failures) in (0, len(names)):
        _remove_parts(parts)
    if not names:
        raise ValueError('There is nothing to pack: no clips were found.')
    return Packed(len(names) - len(failures), failures)


def images_of_folder(folder: Path, files: Iterable[Path] | None = None) -> Iterator[bytes]:
    """The images of a folder as they are, by name; or some of them.

    Raises:
        VideoError: There are none, or one is missing.
    """
    chosen = (
        sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGES)
        if files is None
        else files
    )
    empty = True
    for path in chosen:
        empty = False
        if not path.is_file():
            raise VideoError(f'{path} is missing.')
        yield path.read_bytes()
    if empty:
        raise VideoError(f'{folder} holds no images.')


def images_of_flow(folder: Path) -> Iterator[bytes]:
    """The images of `u` and `v` in turn.

    Raises:
        VideoError: There are none, or not as many of `v` as of `u`.
    """
    planes = [
        sorted(p for p in (folder / axis).glob('*') if p.suffix.lower() in IMAGES) for axis in 'uv'
    ]
    if not planes[0] or [p.name for p in planes[0]] != [p.name for p in planes[1]]:
        raise VideoError(
            f'{folder} holds {len(planes[0])} images in u and {len(planes[1])} in v; expected as '
            'many of the same names. Extract its flow again.'
        )
    for pair in zip(*planes, strict=True):
        yield from (path.read_bytes() for path in pair)


def images_of_video(path: Path, quality: int) -> Iterator[bytes]:
    """All frames of a video as JPEGs of a quality from 1 to 100.

    Raises:
        VideoError: It cannot be read, or not to its end.
    """
    for _, frame in read_frames(path):
        yield cv2.imencode('.jpg', frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _check_parts(parts: Path) -> None:
    for path in parts.iterdir() if parts.exists() else ():
        if not OURS.fullmatch(path.name):
            raise not_replaced(parts, f'it holds {path.name}')


def _check_settings(parts: Path, settings: dict[str, Any]) -> None:
    file, text = parts / SETTINGS, json.dumps(settings, sort_keys=True)
    if file.exists() and file.read_text() != text:
        raise ValueError(
            f'{parts} was begun with {file.read_text()}, not with {text}: go on with the former, '
            'or give another --out.'
        )
    write_whole(file, text.encode())


def _all_inside(parts: Path, out: Path) -> bool:
    """Whether a file has all clips of the parts; not if there is no folder of parts."""
    if not parts.exists():
        return False
    there = _clips(out)
    return all(_clips(part).items() <= there.items() for part in parts.glob('*.h5'))


def _remove_parts(parts: Path) -> None:
    for path in parts.iterdir():
        if OURS.fullmatch(path.name):
            remove(path)
    with suppress(OSError):  # somebody has put something into it
        parts.rmdir()


def _write_part(name: str, images: list[np.ndarray], part: Path) -> None:
    unfinished = part.with_suffix('.partial')
    expected = _digest(images)
    try:
        with h5py.File(unfinished, 'w') as file:
            data = file.create_dataset(name, (len(images),), h5py.vlen_dtype(np.uint8))
            for row, content in enumerate(images):
                data[row] = content
            data.attrs['sha256'] = expected
        _verify(unfinished, [name])
        unfinished.replace(part)
    finally:
        remove(unfinished)


def _join(names: dict[str, Path], out: Path) -> None:
    unfinished = out.with_name(f'{out.name}.partial')
    try:
        with h5py.File(unfinished, 'w') as file:
            for name, part in names.items():
                with open_hdf5(part) as source:
                    source.copy(find(source, name), file, name=name)
        _verify(unfinished, names)
        unfinished.replace(out)
    finally:
        remove(unfinished)


def _clips(path: Path) -> dict[str, str]:
    """Name to hash of the clips in a file."""
    found: dict[str, str] = {}

    def visit(name: str, node: h5py.Group | h5py.Dataset) -> None:
        if 'sha256' in node.attrs:
            found[name] = node.attrs['sha256']

    with open_hdf5(path) as file:
        file.visititems(visit)
    return found


def _verify(path: Path, names: Iterable[str]) -> None:
    with open_hdf5(path) as file:
        for name in names:
            data = find(file, name)
            if _digest(data) != data.attrs['sha256']:
                raise ValueError(f'{path}: {name} reads back otherwise than it was written.')


def _digest(images: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for content in images:
        digest.update(len(content).to_bytes(8, 'little'))
        digest.update(content.tobytes())
    return digest.hexdigest()
