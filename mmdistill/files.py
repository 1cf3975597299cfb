"""Files that are there as a whole or not at all, and what is in them in 64 letters."""

import hashlib
import os
from pathlib import Path


def write_whole(path: str | Path, content: bytes) -> None:
    """Write beside the place, then rename: whoever looks sees the old file or the new one.

    Raises:
        OSError: It cannot be written, for example because the disk is full; nothing is left over.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        with partial.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise OSError(
            error.errno, f'{path} could not be written ({error.strerror}): make room and try again'
        ) from error
    finally:
        partial.unlink(missing_ok=True)


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
