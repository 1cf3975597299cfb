"""Pack the frames of clips into one HDF5 file, so that a kill at any moment loses no finished clip.

Every clip grows in a file of its own below `<out>.parts`, is read back, and only then gets its
name. When all clips are there they are copied into one file, which is read back too and appears
under its name at once; the parts are then removed. The layout is that of
`mmdistill.modalities.frame_pack`; a dataset's attribute `sha256` is the hash of all its images.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import h5py
import numpy as np

from ..video import VideoError, read_frames

IMAGES = ('.jpg', '.jpeg', '.png')
SETTINGS = 'settings.json'


@dataclass(frozen=True)
class Clip:
    """One dataset to write.

    Args:
        name: Its name: `<video>` or `<video>/<narration>`.
        images: Gives the bytes of its images, in order.
    """

    name: str
    images: Callable[[], Iterable[bytes]]


def pack_clips(
    clips: Iterable[Clip], out: Path, settings: dict, report: Callable[[str], None]
) -> int:
    """Write all clips that are not there yet, then the file; returns how many it has.

    Args:
        clips: What to pack; names must be unique.
        out: The HDF5 file to be; one that is there is an error.
        settings: What the bytes depend on; parts of a run with others are an error.
        report: Told about every clip that was written.

    Raises:
        FileExistsError: `out` is there.
        ValueError: The parts are those of a run with other settings, names repeat, or what was
            written reads back otherwise.
    """
    parts = out.with_name(f'{out.name}.parts')
    if out.exists() and not parts.exists():
        raise FileExistsError(f'{out} is there already; remove it, or give another --out.')
    _check_settings(parts, settings)
    if out.exists():
        # Killed when the file had its name already and its parts were still there.
        shutil.rmtree(parts)
        return _count_clips(out)
    names: dict[str, Path] = {}
    for number, clip in enumerate(clips):
        if clip.name in names:
            raise ValueError(f'Two clips are called {clip.name!r}; names must be unique.')
        # A name may hold slashes and any other character.
        part = parts / f'{hashlib.sha256(clip.name.encode()).hexdigest()[:32]}.h5'
        if not part.exists():
            _write_part(clip, part)
            report(f'{number + 1}: {clip.name}')
        names[clip.name] = part
    if not names:
        raise ValueError('There is nothing to pack: no clips were found.')
    _join(names, out)
    shutil.rmtree(parts)
    return len(names)


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


def _check_settings(parts: Path, settings: dict) -> None:
    parts.mkdir(parents=True, exist_ok=True)
    file, text = parts / SETTINGS, json.dumps(settings, sort_keys=True)
    if file.exists() and file.read_text() != text:
        raise ValueError(
            f'{parts} was begun with {file.read_text()}, not with {text}: go on with the former, '
            'or remove the folder.'
        )
    unfinished = parts / f'{SETTINGS}.partial'
    unfinished.write_text(text)
    unfinished.replace(file)


def _write_part(clip: Clip, part: Path) -> None:
    unfinished = part.with_suffix('.partial')
    images = [np.frombuffer(content, np.uint8) for content in clip.images()]
    expected = _digest(images)
    with h5py.File(unfinished, 'w') as file:
        data = file.create_dataset(clip.name, (len(images),), h5py.vlen_dtype(np.uint8))
        for row, content in enumerate(images):
            data[row] = content
        data.attrs['sha256'] = expected
    _verify(unfinished, [clip.name])
    unfinished.replace(part)


def _join(names: dict[str, Path], out: Path) -> None:
    unfinished = out.with_name(f'{out.name}.partial')
    with h5py.File(unfinished, 'w') as file:
        for name, part in names.items():
            with h5py.File(part, 'r') as source:
                source.copy(source[name], file, name=name)
    _verify(unfinished, names)
    unfinished.replace(out)


def _count_clips(path: Path) -> int:
    found: list[str] = []
    with h5py.File(path, 'r') as file:
        file.visititems(lambda name, node: found.append(name) if 'sha256' in node.attrs else None)
    return len(found)


def _verify(path: Path, names: Iterable[str]) -> None:
    with h5py.File(path, 'r') as file:
        for name in names:
            if _digest(file[name]) != file[name].attrs['sha256']:
                raise ValueError(f'{path}: {name} reads back otherwise than it was written.')


def _digest(images: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for content in images:
        digest.update(len(content).to_bytes(8, 'little'))
        digest.update(content.tobytes())
    return digest.hexdigest()
