"""One run per folder, and none beside a stage that a killed run has left behind."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

LOCK_FILE = '.running'


@contextlib.contextmanager
def locked(homes: set[Path]) -> Iterator[tuple[int, ...]]:
    """Hold every folder for this run; yields the locks as file descriptors.

    The stages inherit the lock: one that outlives a killed run keeps the next run out.

    Raises:
        RuntimeError: Another run holds one of them.
    """
    with contextlib.ExitStack() as files:
        locks = []
        for home in sorted(homes):
            home.mkdir(parents=True, exist_ok=True)
            file = files.enter_context((home / LOCK_FILE).open('w'))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RuntimeError(
                    f'Another run, or a stage left behind by one, still works in {home}. '
                    'Wait for it or stop it (`ps` shows its command), then start again.'
                ) from error
            locks.append(file.fileno())
        yield tuple(locks)
