"""Ctrl-C and `kill` end a tool with one line and the exit code of a shell: 130 or 143."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

# What a forked worker's threads meet when their parent is gone, such as the one that hands over the
# file descriptors of tensors (multiprocessing.resource_sharer).
PARENT_GONE = (ConnectionError, EOFError)

STOPPED = {signal.SIGINT: 'interrupted by Ctrl-C', signal.SIGTERM: 'ended by SIGTERM'}


class Terminated(BaseException):
    """SIGTERM came; like KeyboardInterrupt, no `except Exception` takes it."""


@contextmanager
def stopped_in_one_line() -> Iterator[None]:
    """Let SIGINT and SIGTERM unwind what runs here, then end with a line on stderr.

    Whatever else goes wrong after the signal, such as workers that it has ended too, is not told.

    Raises:
        SystemExit: A signal came: 128 and its number.
    """
    received: list[int] = []
    owner = os.getpid()

    def stop(number: int, _: object) -> None:
        if os.getpid() != owner:  # a forked worker: its parent ends it, by SIGTERM if need be
            if number == signal.SIGTERM:
                os._exit(128 + number)
            return
        received.append(number)
        # Loaders and their threads complain that the signal has ended their workers too.
        sys.unraisablehook = lambda _: None
        sys.excepthook = lambda *_: None
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    earlier = _handle_with(stop)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
        if received:
            stopped = STOPPED[signal.Signals(received[0])]
            print(
                f'{stopped}: what is finished is kept; the same command continues, '
                'a training with --resume.',
                file=sys.stderr,
            )
            raise SystemExit(128 + received[0]) from None


def _silent_without_parent() -> None:
    """In a forked worker: what tells only that its parent has ended is not told."""
    told, told_by_thread = sys.excepthook, threading.excepthook

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, PARENT_GONE):
            told(kind, error, trace)

    def tell_of_thread(args: threading.ExceptHookArgs) -> None:
        if not issubclass(args.exc_type, PARENT_GONE):
            told_by_thread(args)

    sys.excepthook, threading.excepthook = tell, tell_of_thread


# A fork's hooks are its own: the parent still tells of its broken connections.
os.register_at_fork(after_in_child=_silent_without_parent)


def _handle_with(handler: Any) -> dict[int, Any]:
    """Set the handler of both signals; returns the earlier ones. Ignored signals stay ignored."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [number for number in STOPPED if signal.getsignal(number) != signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in numbers}
