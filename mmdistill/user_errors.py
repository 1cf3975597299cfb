"""Errors on the command line: one line for what the user can mend, a traceback for our faults."""

import ast
import functools
import os
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import mmengine

from .signals import stopped_in_one_line

P = ParamSpec('P')
R = TypeVar('R')

TRACEBACK_VARIABLE = 'MMDISTILL_TRACEBACK'
# Whose `raise` statements speak to the user: ours, the registry's "X is not in the registry", and
# that of a visualisation backend whose package is missing.
MMENGINE = Path(mmengine.__file__).parent
SPEAKERS = (Path(__file__).parent, MMENGINE / 'registry', MMENGINE / 'visualization')

# What the error of a data loader's worker looks like: its traceback travels as text.
_FRAME = re.compile(r'^ +File "(?P<file>.+)", line \d+, in .+\n +(?P<code>.+)$', re.MULTILINE)
_LAST_LINE = re.compile(r'^(?P<type>[\w.]+): (?P<message>.+)', re.MULTILINE | re.DOTALL)


def one_line_errors(main: Callable[P, R]) -> Callable[P, R]:
    """Make the `main` of a tool end with `error: …` and exit code 1 where the user is at fault.

    These are the errors that a `raise` statement of this package or of the tool raised, in this
    process or in a worker of a data loader, and files that are missing. Any other error is a fault
    of a program and keeps its traceback, and with MMDISTILL_TRACEBACK=1 every error does. Ctrl-C
    and SIGTERM end it with a line and exit code 130 or 143.
    """

    @functools.wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with stopped_in_one_line():
            try:
                return main(*args, **kwargs)
            # Which errors are the user's is decided by who raised them, not by their type.
            except Exception as error:
                message = user_message(error, Path(main.__code__.co_filename))
                if message is None or os.environ.get(TRACEBACK_VARIABLE):
                    raise
        sys.exit(f'error: {message}')

    return wrapped


def user_message(error: Exception, tool: Path) -> str | None:
    """What to tell the user, on one line; None if the error is not the user's.

    Args:
        error: As it was caught, with its traceback.
        tool: The file whose `raise` statements count beside the package's.
    """
    in_worker = _FRAME.findall(str(error.args[0])) if error.args else []
    if in_worker:
        file, code = in_worker[-1]
    else:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        file, code = frame.filename, frame.line or ''
    path = Path(file)
    deliberate = code.startswith('raise ') and (
        path == tool or any(folder in path.parents for folder in SPEAKERS)
    )
    if not deliberate and not isinstance(error, FileNotFoundError):
        return None
    return ' '.join((_worker_message(error) if in_worker else _message(error)).split())


def _message(error: Exception) -> str:
    # str() of a KeyError puts quotes around its sentence.
    only_text = len(error.args) == 1 and isinstance(error.args[0], str)
    return error.args[0] if only_text else str(error)


def _worker_message(error: Exception) -> str:
    text = str(error.args[0])
    *_, frame = _FRAME.finditer(text)
    found = _LAST_LINE.search(text, frame.end())
    if found is None:
        return text
    message = found['message'].strip()
    return ast.literal_eval(message) if found['type'] == 'KeyError' else message
