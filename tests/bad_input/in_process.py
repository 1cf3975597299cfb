"""Run a tool in this process as if it were one of its own, and leave the process as it was."""

import contextlib
import inspect
import multiprocessing
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import torch
from mmaction.visualization import ActionVisualizer
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer
from programs import load_program

ROOT = Path(__file__).parents[2]
SECONDS = 60
# Each class has its own instances; names are made of the second in which a run begins.
MANAGED = (MMLogger, MessageHub, DefaultScope, Visualizer, ActionVisualizer)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


class Hang(BaseException):
    """A tool that does not end; no `except Exception` may catch it."""


def call_tool(tool: str, words: Sequence[str]) -> int:
    """Call the `main` of a tool in the current folder; returns the exit code it would end with.

    A message of `sys.exit`, and the traceback of an error that nobody caught, go to stderr.
    """
    with _process_kept(), _time_limit(SECONDS):
        sys.argv = [str(ROOT / tool), *words]
        main = load_program(tool).main
        try:
            code = main(list(words)) if inspect.signature(main).parameters else main()
        except SystemExit as end:
            code = end.code
        except (Exception, KeyboardInterrupt, Hang):
            traceback.print_exc()
            code = 1
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr)
    return 1


@contextlib.contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise Hang(f'not finished after {seconds} s')

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _process_kept() -> Iterator[None]:
    """Put back what a tool sets for the whole process."""
    folder, argv, path = os.getcwd(), sys.argv, list(sys.path)
    environment = dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    method = multiprocessing.get_start_method(allow_none=True)
    managed: dict[Any, dict] = {kind: dict(kind._instance_dict) for kind in MANAGED}
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            yield
    finally:
        os.chdir(folder)
        sys.argv, sys.path[:] = argv, path
        os.environ.clear()
        os.environ.update(environment)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        multiprocessing.set_start_method(method, force=True)
        _forget_files()
        for logger in MMLogger._instance_dict.keys() - managed[MMLogger].keys():
            for handler in MMLogger._instance_dict[logger].handlers:
                handler.close()  # of the log file
        for kind, instances in managed.items():
            kind._instance_dict.clear()
            kind._instance_dict.update(instances)


def _forget_files() -> None:
    """What was read of `videos/a.mp4` in one folder must not answer for that of the next row."""
    for name, module in list(sys.modules.items()):
        if name.startswith(('mmdistill', 'projects')):
            for member in vars(module).values():
                if hasattr(member, 'cache_clear'):
                    member.cache_clear()
