"""One run per output: a lock of the operating system, which is free again when its holder is gone.

The lock of a file is a hidden file beside it, that of a folder a hidden file in it; it says who
holds it and disappears with the run. One that a killed run has left behind keeps nobody out.
"""

import contextlib
import errno
import json
import os
import re
import shlex
import socket
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

# A run that looks whether others are at work holds their locks for a moment.
SECONDS_TO_WAIT = 1.0
NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP)
# Where launchers say the rank of a process.
RANK_VARIABLES = dict(pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK')


class OutputInUseError(RuntimeError):
    """Another run writes the same output."""


@contextmanager
def output_lock(
    path: str | Path, *, inside: str = '', share: tuple[int, int] = (0, 1)
) -> Iterator[int | None]:
    """Hold an output for this run; yields the lock as a file descriptor.

    A child process that inherits the descriptor keeps the lock if this process is killed. Where the
    file system has no locks, a line says so, and None comes.

    Args:
        path: The file or folder that is to be written.
        inside: For a folder, which is made if need be: what the lock in it is called.
        share: Number and count of the ranks that write it together: each holds its own lock, and
            only a second run of the same rank, or one with another count, is kept out.

    Raises:
        OutputInUseError: Another run holds it; says who and since when.
        OSError: The lock cannot be written.
    """
    place = Path(path).resolve()
    folder, stem = (place, f'.{inside}') if inside else (place.parent, f'.{place.name}')
    index, count = share
    own = folder / (f'{stem}.rank{index}of{count}.lock' if count > 1 else f'{stem}.lock')
    with _folder(folder), _held(own, path) as descriptor:
        for other in _of_other_counts(folder, stem, count):
            with _held(other, path):
                pass
        yield descriptor


@contextmanager
def training_lock(work_dir: str | Path, launcher: str = 'none') -> Iterator[None]:
    """Hold a work dir for a training; of several ranks the first one does.

    Args:
        launcher: Of MMEngine: none, pytorch, slurm or mpi.

    Raises:
        OutputInUseError: Another training writes to it.
    """
    rank = os.environ.get(RANK_VARIABLES.get(launcher, ''), '0')
    with output_lock(work_dir, inside='training') if rank == '0' else contextlib.nullcontext():
        yield


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Make a folder; in the end it goes again if nothing was written to it."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            for folder in made:
                folder.rmdir()


@contextmanager
def _held(file: Path, output: str | Path) -> Iterator[int | None]:
    descriptors: list[int] = []

    def sign(descriptor: int) -> None:
        descriptors.append(descriptor)
        with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(_this_run()).encode(), 0)

    lock = FileLock(file, timeout=SECONDS_TO_WAIT, on_acquired=sign)
    try:
        lock.acquire()
    except Timeout:
        raise OutputInUseError(_in_use(file, output)) from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        print(
            f'warning: the file system of {output} has no locks ({error.strerror}), so a second '
            'run would not be noticed: start only one.',
            file=sys.stderr,
        )
        yield None
        return
    try:
        yield descriptors[0]
    finally:
        # Before it is released: whoever opened it meanwhile sees that it is gone, and makes anew.
        file.unlink(missing_ok=True)
        lock.release()


def _of_other_counts(folder: Path, stem: str, count: int) -> list[Path]:
    pattern = re.compile(rf'{re.escape(stem)}(?:\.rank\d+of(\d+))?\.lock')
    found = ((path, pattern.fullmatch(path.name)) for path in folder.iterdir())
    return [path for path, match in found if match and int(match[1] or 1) != count]


def _this_run() -> dict[str, str | int]:
    program, *arguments = sys.argv
    words = program.split() if program.startswith('mmdistill ') else ['python', program]
    return dict(
        command=textwrap.shorten(shlex.join([*words, *arguments]), 200, placeholder=' …'),
        pid=os.getpid(),
        host=socket.gethostname(),
        since=datetime.now().astimezone().isoformat(' ', 'seconds'),
    )


def _in_use(file: Path, output: str | Path) -> str:
    advice = 'Wait for it, or stop it, then start again.'
    try:
        holder = json.loads(file.read_text())
        who = '`{command}`, process {pid} on {host}, since {since}'.format(**holder)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return f'Another run still works in {output}. {advice}'
    if holder['host'] == socket.gethostname() and not psutil.pid_exists(holder['pid']):
        return (
            f'A process that a killed run has left behind still works in {output} ({who}). '
            f'Wait for it, or stop it (`ps` shows its command), then start again.'
        )
    return f'Another run still works in {output}: {who}. {advice}'
