"""Errors on the command line: one line for what the user can fix, a traceback for our faults."""

import ast
import functools
import io
import logging
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, ParamSpec, TypeVar

from .launch import tell_launcher
from .places import ADVICE, place_message
from .signals import stopped_in_one_line

P = ParamSpec('P')
R = TypeVar('R')

TRACEBACK_VARIABLE = 'MMDISTILL_TRACEBACK'
# Whose `raise` statements speak to the user: ours, and MMEngine's, which are about configs.
SPEAKERS = tuple(
    Path(found.origin).parent
    for found in map(find_spec, ('mmdistill', 'mmengine'))
    if found and found.origin
)

# What to do where the memory is full.
SMALLER = 'Use a smaller batch (train_dataloader.batch_size), fewer workers, or smaller clips'

# What the error of a data loader's worker looks like: its traceback travels as text.
_FRAME = re.compile(r'^ +File "(?P<file>.+)", line \d+, in .+\n +(?P<code>.+)$', re.MULTILINE)
_LAST_LINE = re.compile(r'^(?P<type>[\w.]+): (?P<message>.+)', re.MULTILINE | re.DOTALL)
_ERRNO = re.compile(r'\[Errno (\d+)\]')


class Raised(NamedTuple):
    """An error, and the statement that raised it: in this process, or in a worker's text."""

    file: Path
    code: str
    message: str
    number: int | None  # of an error of the system


def one_line_errors(main: Callable[P, R]) -> Callable[P, R]:
    """Make the `main` of a tool end with `error: …` and exit code 1 where the user is at fault.

    These are the errors that a `raise` statement of this package, of the tool or of MMEngine
    raised, in this process or in a worker of a data loader; files and places that cannot be read
    or written, whoever says so; and parts of a config that cannot be built. Any other error is a
    fault of a program and keeps its traceback, and with MMDISTILL_TRACEBACK=1 every error does.
    Ctrl-C and SIGTERM end it with a line and exit code 130 or 143.
    """

    @functools.wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        # A log file on a full disk would print a traceback per line; saving then says it once.
        logging.raiseExceptions = False
        with stopped_in_one_line():
            try:
                result = main(*args, **kwargs)
                _leave_group()
                return result
            except BrokenPipeError:  # `tool | head`: nobody reads on
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(128 + signal.SIGPIPE)
            # Which errors are the user's is decided by who raised them, not by their type.
            except Exception as error:
                message = user_message(error, _home(main))
                if message is None or os.environ.get(TRACEBACK_VARIABLE):
                    raise
        sys.stdout.flush()  # the sentence comes last, also where both go to one file
        sys.exit(1 if tell_launcher(message) else f'error: {message}')

    return wrapped


def _home(main: Callable[..., Any]) -> Path:
    """The folder of the package that a program belongs to; of a lone script, its file."""
    path = Path(main.__code__.co_filename)
    return path.parent if main.__globals__.get('__package__') else path


def _leave_group() -> None:
    """End the threads of gloo or NCCL: at the exit of a process they may abort it."""
    torch = sys.modules.get('torch')
    if torch and torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _out_of_memory(error: Exception) -> bool:
    torch = sys.modules.get('torch')
    return isinstance(error, MemoryError) or bool(
        torch and isinstance(error, torch.OutOfMemoryError)
    )


def _of_config(error: Exception) -> str | None:
    """The part of a config that could not be built, where there are configs."""
    if 'mmengine' not in sys.modules:
        return None
    from .config_errors import build_message

    return build_message(error)


def user_message(error: Exception, tool: Path) -> str | None:
    """What to tell the user, on one line; None if the error is not the user's.

    Args:
        error: As it was caught, with its traceback.
        tool: The file, or the folder of a package, whose `raise` statements count beside ours.
    """
    raised = _from_worker(error) or _from_here(error)
    deliberate = (
        raised.code.startswith('raise ')
        and any(place in (raised.file, *raised.file.parents) for place in (tool, *SPEAKERS))
        and not isinstance(error, NotImplementedError)
    )
    message = None
    if isinstance(error, OSError) and raised.number in ADVICE:
        path = None if deliberate else _open_file(error.__traceback__)
        said = _ERRNO.sub('', raised.message)
        message = said if deliberate else place_message(raised.message, raised.number, path)
    elif _out_of_memory(error):
        message = f'Out of memory ({raised.message or "of the machine"}): {SMALLER}.'
    elif 'DataLoader worker' in raised.message and 'killed by signal' in raised.message:
        message = f'{raised.message.split(". ")[0].rstrip(".")}: was the memory full? {SMALLER}.'
    elif deliberate or _names_a_file(error, raised.message):
        message = raised.message
    elif Path(__file__).parent not in raised.file.parents:
        message = _of_config(error)
    return message and ' '.join(message.split())


def _from_here(error: Exception) -> Raised:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    # str() of a KeyError puts quotes around its sentence.
    only_text = len(error.args) == 1 and isinstance(error.args[0], str)
    message = error.args[0] if only_text else str(error)
    if isinstance(error, KeyError) and ' ' not in message:
        message = f'There is no {message!r} in the config; add it.'
    number = error.errno if isinstance(error, OSError) else None
    return Raised(Path(frame.filename), frame.line or '', message, number)


def _from_worker(error: Exception) -> Raised | None:
    text = str(error.args[0]) if error.args else ''
    frames = list(_FRAME.finditer(text))
    if not frames:
        return None
    found = _LAST_LINE.search(text, frames[-1].end())
    message = found['message'].strip() if found else text
    if found and found['type'] == 'KeyError':
        message = ast.literal_eval(message)
    number = _ERRNO.match(message)
    code = frames[-1]['code']
    return Raised(Path(frames[-1]['file']), code, message, int(number[1]) if number else None)


def _names_a_file(error: Exception, message: str) -> bool:
    """Whether a library complains of a file: Pillow, PyAV, torch."""
    if isinstance(error, FileNotFoundError) or getattr(error, 'filename', None):
        return True
    named = any(Path(name).exists() for name in re.findall(r"'([^']+)'", message))
    return (isinstance(error, OSError) and named) or message.startswith('Parent directory ')


def _open_file(trace: TracebackType | None) -> str | None:
    """The file that was being written: the system does not name it when a disk is full."""
    name = None
    while trace is not None:
        for value in trace.tb_frame.f_locals.values():
            if isinstance(value, io.IOBase) and isinstance(getattr(value, 'name', None), str):
                name = value.name
        trace = trace.tb_next
    return name
