"""How far a run of jobs is: a progress bar in a terminal, a line now and then in a log file."""

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

SECONDS_BETWEEN_LOG_LINES = 20


class JobDisplay:
    """Shows frames done, frames per second and the time left; a context manager.

    Args:
        num_videos: To be processed.
        total: Their frames.
        note: What is to be said beside their number.
    """

    def __init__(self, num_videos: int, total: int, note: str = '') -> None:
        self._console = Console()
        self._total, self._frames = total, 0
        self._started: float | None = None
        self._logged = time.monotonic()
        self._bar = Progress(
            *(TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), _RateColumn()),
            *(TimeElapsedColumn(), TextColumn('left'), TimeRemainingColumn()),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(f'{num_videos} videos{note}', total=total)
        if not self._console.is_terminal:
            print(f'{num_videos} videos, {total} frames{note}', flush=True)

    @property
    def seconds(self) -> float:
        """Since the first worker was ready: loading a model is no part of the throughput."""
        return 0.0 if self._started is None else time.monotonic() - self._started

    def advance(self, frames: int) -> None:
        """Count frames; 0 of them says that a worker is ready."""
        now = time.monotonic()
        self._started = self._started or now
        self._frames += frames
        self._bar.advance(self._task, frames)
        if not self._console.is_terminal and now - self._logged > SECONDS_BETWEEN_LOG_LINES:
            self._logged = now
            self._print_line()

    def __enter__(self) -> 'JobDisplay':
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        if not self._console.is_terminal:
            self._print_line()

    def _print_line(self) -> None:
        rate = self._frames / max(self.seconds, 1e-9)
        left = f'{(self._total - self._frames) / rate:.0f} s left' if rate else 'time left unknown'
        print(f'{self._frames}/{self._total} frames, {rate:.0f} frames/s, {left}', flush=True)


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f'{task.speed:,.0f} frames/s' if task.speed else '', style='cyan')
