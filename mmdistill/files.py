"""Files: found by name or pattern, there as a whole or not at all, read as JSON, and hashed."""

import contextlib
import glob
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from .places import cannot_write


def find_paths(patterns: Iterable[str | Path]) -> list[Path]:
    """The files and folders that paths or patterns ask for, sorted, each once; see `matches`.

    Raises:
        FileNotFoundError: One of them matches nothing.
        ValueError: A name cannot be written into a manifest, a CSV or HDF5.
    """
    found: dict[str, Path] = {}
    for pattern in patterns:
        paths = matches(pattern)
        if not paths:
            raise FileNotFoundError(f'Nothing matches {str(pattern)!r} ({_why_not(pattern)}).')
        for path in paths:
            if not _is_utf_8(path):
                raise ValueError(f'The name {str(path)!a} is not UTF-8 text: rename the file.')
            found.setdefault(os.path.abspath(path), path)
    return sorted(found.values())


def find_file(pattern: str | Path, what: str, advice: str) -> str:
    """The one file that a path or pattern asks for; an address such as `https://…` stays.

    Args:
        pattern: See `matches`.
        what: What the file is, for the error.
        advice: What to do, the end of the error.

    Raises:
        FileNotFoundError: There is no such file, or several; names what is there.
    """
    if '://' in str(pattern):
        return str(pattern)
    found = matches(pattern)
    files = [path for path in found if path.is_file()]
    if len(files) == 1:
        return str(files[0])
    if files:
        listed = ', '.join(map(str, files[:8])) + (', …' if len(files) > 8 else '')
        problem = f'{len(files)} files match the {what} {pattern} ({listed}), expected exactly one'
        raise FileNotFoundError(f'{problem}: {advice}.')
    folder = found[0] if found else Path(pattern).parent
    kind = f'*{glob.escape(Path(pattern).suffix or ".pth")}'
    there = ', '.join(sorted(file.name for file in folder.glob(kind))) or f'no {kind} file'
    raise FileNotFoundError(f'There is no {what} {pattern} ({folder} holds {there}): {advice}.')


def matches(pattern: str | Path) -> list[Path]:
    """The files and folders that a path or pattern asks for, sorted; maybe none.

    A path that exists is that path, whatever characters it has: shells expand `*.mp4` to names such
    as `cooking [dQw4w9WgXcQ].mp4`. Otherwise `*`, `?` and `[…]` are wildcards, in each folder on
    the way only where it has no entry of that very name. `~` is the home folder.
    """
    if not str(pattern):
        return []
    first, *rest = Path(pattern).parts or ('.',)
    if first.startswith('~') and not os.path.lexists(first):
        first = os.path.expanduser(first)
    places = _children(Path(), first)
    for part in rest:
        places = [child for folder in places for child in _children(folder, part)]
    return sorted(places)


def _children(folder: Path, name: str) -> list[Path]:
    if os.path.lexists(folder / name):
        return [folder / name]
    return [folder / child for child in glob.glob(name, root_dir=folder)]


def _is_utf_8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _why_not(path: str | Path) -> str:
    try:
        os.stat(path)
    except OSError as error:
        return error.strerror or 'cannot be read'
    return 'no such file or folder'


def read_json(path: str | Path, kind: type, advice: str) -> Any:
    """The content of a JSON file.

    Args:
        path: The file.
        kind: What it holds, `dict` or `list`.
        advice: What to do about another content, the end of the error.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no JSON, or holds something else.
    """
    try:
        content = json.loads(Path(path).read_text(encoding='utf-8-sig'))
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is not JSON ({error}): {advice}.') from error
    if not isinstance(content, kind):
        raise ValueError(
            f'{path} holds a {type(content).__name__}; expected a {kind.__name__}: {advice}.'
        )
    return content


def write_whole(path: str | Path, content: bytes) -> None:
    """Write beside the place, then rename: whoever looks sees the old file or the new one.

    Raises:
        OSError: It cannot be written, for example because the disk is full; nothing is left over.
    """
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes its place when all is written; raises as `write_whole`."""
    path = Path(path)
    # Such as /dev/null, which must not be replaced by a file; a folder cannot be opened.
    device = os.path.exists(path) and not path.is_file()
    partial = path if device else path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_parts(path.parent, path.name)
        with partial.open('wb') as file:
            yield file
            file.flush()
            if not device:
                os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if not device:
            remove(partial)


def remove_parts(folder: Path, name: str | None = None) -> None:
    """Remove what killed processes of this machine have left of files in a folder.

    Args:
        folder: Nobody on another machine may write to it, or not to that file.
        name: Of the file; by default of all.
    """
    for part in folder.glob(f'.{"*" if name is None else glob.escape(name)}.*.part'):
        process = part.name.split('.')[-2]
        if process.isdigit() and not psutil.pid_exists(int(process)):
            remove(part)


def remove(path: Path) -> None:
    """Delete a file or folder of our own; one that is not there, or cannot be, stays as it is."""
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def file_sha256(path: str | Path) -> str:
    """Hash of a file's content.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'There is no checkpoint {path}.')
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
