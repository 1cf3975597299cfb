"""An HDF5 file that data loaders may read: each process opens its own."""

import os
from pathlib import Path
from typing import Any

import h5py


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

    def open(self) -> h5py.File:
        """Open it to read; a subclass also looks whether it is of its kind."""
        try:
            return h5py.File(self.path, 'r', locking='best-effort')
        except OSError as error:
            # Not 'lock' alone: of a file that is cut short HDF5 names the superblock, 'sblock'.
            if 'unable to lock' in str(error) or 'already open for write' in str(error):
                raise ValueError(
                    f'{self.path} is being written by another process; wait until that has '
                    'finished.'
                ) from error
            raise ValueError(
                f'{self.path} is not an HDF5 file, or it is cut short: {error}'
            ) from error
