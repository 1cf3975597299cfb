"""Places on disk: whether a tool can write there, found out before hours of work."""

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

# What to do about an error of the system.
ADVICE = {
    errno.ENOENT: 'correct the path',
    errno.ENOTDIR: 'a part of the path is a file where a folder is meant; correct the path',
    errno.EISDIR: 'a folder is there where a file is meant; give another path',
    errno.EEXIST: 'a file is there where a folder is meant; give another path',
    errno.EACCES: 'give another place, or change the permissions',
    errno.EPERM: 'give another place, or change the permissions',
    errno.EROFS: 'give another place, or mount it writable',
    errno.ENOSPC: 'make room and try again',
    errno.EDQUOT: 'make room and try again',
    errno.EFBIG: 'give another place, or raise the limit (`ulimit -f`)',
    errno.ENAMETOOLONG: 'shorten the name',
    errno.ELOOP: 'correct the link',
    errno.EIO: 'the disk fails; see the log of the system',
    errno.ESTALE: 'mount the network disk again',
    errno.EMFILE: 'raise the limit (`ulimit -n`), or use fewer workers',
}
# HDF5 hides the place and the reason in the middle of its own sentence.
_HDF5 = re.compile(r"name = '(?P<path>.*?)'.*error message = '(?P<reason>.*?)'", re.DOTALL)


def cannot_write(path: str | Path, error: OSError) -> OSError:
    """The error that says in one sentence what could not be written, why, and what to do."""
    advice = ADVICE.get(error.errno or 0, 'give another place')
    text = f'{path} could not be written ({error.strerror or error}): {advice}.'
    return OSError(error.errno, text)


def place_message(text: str, number: int, path: str | None = None) -> str:
    """What the system or HDF5 says of a place, with what to do.

    Args:
        text: The error as text, such as `[Errno 28] No space left on device: 'x'`.
        number: Its errno.
        path: The place, where the text does not have it.
    """
    hdf5 = _HDF5.search(text)
    text = f'{hdf5["reason"]}: {hdf5["path"]!r}' if hdf5 else re.sub(r'^\[Errno \d+\] ', '', text)
    if path is not None and path not in text:
        text = f'{text}: {path!r}'
    return text if number == errno.ENOENT else f'{text}: {ADVICE[number]}.'


def check_output(
    path: str | Path, folder: bool = False, inputs: Iterable[str | Path | None] = ()
) -> None:
    """Look whether a file, or files in a folder, can be written there. It leaves nothing behind.

    Args:
        inputs: What is read, and must not be replaced.

    Raises:
        OSError: No; the sentence names the place and says what to do.
        ValueError: It is one of the inputs.
    """
    path = Path(path)
    for given in inputs:
        if given is not None and path.resolve() == Path(given).resolve():
            raise ValueError(f'The output {path} is the input {given}: give another path.')
    try:
        _try_to_write(path, folder)
    except OSError as error:
        raise cannot_write(path, error) from None


def _try_to_write(path: Path, folder: bool) -> None:
    if not folder and path.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    place = path if folder else path.parent
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    with contextlib.suppress(FileNotFoundError):
        path.lstat()  # a name that is too long is noticed by looking for it
    if not place.exists() and place.is_symlink():
        raise OSError(errno.ENOENT, f'{place} is a link to a place that is not there')
    if not place.is_dir():
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if folder or path.is_file() or not path.exists():  # not a device
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b'0')  # a full disk still makes empty files
            file.flush()
