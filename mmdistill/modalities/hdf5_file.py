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


def find(start: h5py.Group, name: str, links: int = MOST_LINKS) -> h5py.Group | h5py.Dataset | None:
    """A group or data set below another group; None where there is none of that name.

    Raises:
        ValueError: The way to it, or its data, leads into another file.
    """
    node = start
    for part in filter(lambda part: part not in ('', '.'), name.split('/')):
        key = part.encode()
        if not isinstance(node, h5py.Group) or not node.id.links.exists(key):
            return None
        kind = node.id.links.get_info(key).type
        if kind == h5py.h5l.TYPE_HARD:
            node = node[part]
        elif kind == h5py.h5l.TYPE_SOFT:
            target = node.id.links.get_val(key).decode()
            base = node.file if target.startswith('/') else node
            found = find(base, target, links - 1) if links else None
            if found is None:
                raise _refused(node, part, f'is a link to {target}, which is not there')
            node = found
        else:
            raise _refused(node, part, f'is a link to another file{_target(node, key)}')
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

    def __getstate__(self) -> dict[str, Any]:
        """HDF5 handles stay in their process."""
        return {**self.__dict__, '_opened': None}

    def file(self) -> h5py.File:
        """The open file of this process; handles do not survive a fork."""
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), self.open())
        return self._opened[1]

    def find(self, name: str) -> h5py.Group | h5py.Dataset | None:
        """A group or data set of the file; see the function of this name."""
        return find(self.file(), name)

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


def _check_storage(data: h5py.Dataset) -> None:
    files = [name for name, *_ in data.external or ()]
    if data.is_virtual:
        files += [x.file_name for x in data.virtual_sources() if x.file_name != SAME_FILE]
    if files:
        raise _refused(data.parent, data.name.rpartition('/')[2], f'has its data in {files[0]}')


def _target(group: h5py.Group, key: bytes) -> str:
    if group.id.links.get_info(key).type != h5py.h5l.TYPE_EXTERNAL:
        return ''
    file, place = group.id.links.get_val(key)
    return f', {file.decode()}:{place.decode()}'


def _refused(group: h5py.Group, name: str, what: str) -> ValueError:
    place = f'{group.name.rstrip("/")}/{name}'
    return ValueError(
        f'{group.file.filename}: {place} {what}. Only data in the file itself is read: copy it '
        'there, or make the file again.'
    )
