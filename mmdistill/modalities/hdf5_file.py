"""An HDF5 file that data loaders may read: each process opens its own, and only what is in it.

HDF5 can fetch data from other files: by external links, external storage and virtual data sets. A
file from elsewhere could so read any file of this machine, and a copy of it would miss its data;
whatever leads out of a file is refused by name.
"""

import json
import os
from pathlib import Path
from typing import Any

import h5py

SAME_FILE = '.'  # how a virtual data set names its own file
MOST_LINKS = 8  # soft links in a row; more are a circle


def open_hdf5(path: str | Path) -> h5py.File:
    """Open an HDF5 file to read; take its data by `find`.

    Raises:
        ValueError: It is no HDF5 file, or another process is writing it.
    """
    try:
        return h5py.File(path, 'r', locking='best-effort')
    except OSError as error:
        # Not 'lock' alone: of a truncated file HDF5 names the superblock, 'sblock'.
        if 'unable to lock' in str(error) or 'already open for write' in str(error):
            raise ValueError(
                f'{path} is being written by another process; wait until that has finished.'
            ) from error
        raise ValueError(f'{path} is not an HDF5 file, or it is truncated: {error}') from error


def find(
    start: h5py.Group | h5py.Dataset, name: str, links: int = MOST_LINKS
) -> h5py.Group | h5py.Dataset | None:
    """A group or data set below another group; None where there is none of that name.

    Raises:
        ValueError: The way to it, or its data, leads into another file.
    """
    parts = [part for part in name.split('/') if part not in ('', '.')]
    if parts and not isinstance(start, h5py.Group):
        return None
    for number in range(1, len(parts) + 1):
        way = '/'.join(parts[:number])
        place = way.encode()
        try:
            # Nothing before its last part leads out of the file, so it is safe to look at that.
            if not start.id.links.exists(place):
                return None
            kind = start.id.links.get_info(place).type
        except (KeyError, RuntimeError):  # on the way is a data set
            return None
        if kind != h5py.h5l.TYPE_HARD:
            return find(_target(start, way, links), '/'.join(parts[number:]), links - 1)
    node = start['/'.join(parts)] if parts else start
    if isinstance(node, h5py.Dataset):
        _check_storage(node)
    return node


class HDF5File:
    """An HDF5 file, opened at first use in each process, so it may enter loader workers.

    Raises (at first use):
        ValueError: The file is no HDF5 file, or another process is writing it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._opened: tuple[int, h5py.File] | None = None
        # Names that lead to data of this file: looked at once, since each clip is read often.
        self._checked: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        """HDF5 handles stay in their process."""
        return {**self.__dict__, '_opened': None, '_checked': set()}

    def file(self) -> h5py.File:
        """The open file of this process; handles do not survive a fork."""
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened, self._checked = (os.getpid(), self.open()), set()
        return self._opened[1]

    def find(self, name: str) -> h5py.Group | h5py.Dataset | None:
        """A group or data set of the file; see the function of this name."""
        file = self.file()
        if name in self._checked:
            return file[name]
        found = find(file, name)
        if found is not None:
            self._checked.add(name)
        return found

    def json_attribute(self, name: str, kind: type, default: str | None = None) -> Any:
        """What an attribute of the file says as JSON.

        Raises:
            ValueError: It is not there and has no default, is no JSON, or of another kind.
        """
        text = self.file().attrs.get(name, default)
        try:
            found = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f'{self.path}: attribute {name!r} is no JSON ({error}).') from error
        if not isinstance(found, kind):
            raise ValueError(f'{self.path}: {name!r} must be a {kind.__name__}, got {text:.80}.')
        return found

    def open(self) -> h5py.File:
        """Open it to read; a subclass also looks whether it is of its kind."""
        return open_hdf5(self.path)


def _target(start: h5py.Group, way: str, links: int) -> h5py.Group | h5py.Dataset:
    """What a soft link leads to, in the same file."""
    value = start.id.links.get_val(way.encode())
    parent, _, name = way.rpartition('/')
    group = start[parent] if parent else start
    if not isinstance(value, bytes):
        where = ':'.join(os.fsdecode(part) for part in value)
        raise _refused(group, name, f'is a link to another file, {where}')
    base = group.file if value.startswith(b'/') else group
    found = find(base, value.decode(), links - 1) if links > 0 else None
    if found is None:
        raise _refused(group, name, f'is a link to {value.decode()}, which is not there')
    return found


def _check_storage(data: h5py.Dataset) -> None:
    settings = data.id.get_create_plist()
    files = [os.fsdecode(settings.get_external(i)[0]) for i in range(settings.get_external_count())]
    if settings.get_layout() == h5py.h5d.VIRTUAL:
        files += [x.file_name for x in data.virtual_sources() if x.file_name != SAME_FILE]
    if files:
        raise _refused(data.parent, data.name.rpartition('/')[2], f'has its data in {files[0]}')


def _refused(group: h5py.Group, name: str, what: str) -> ValueError:
    place = f'{group.name.rstrip("/")}/{name}'
    return ValueError(
        f'{group.file.filename}: {place} {what}. Only data in the file itself is read: copy it '
        'there, or make the file again.'
    )
