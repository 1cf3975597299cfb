"""Run one job per video: split over ranks and workers, restartable, with a progress bar.

A job is done when its result exists, and a result appears all at once. So a killed run continues
where it stopped, and what it leaves behind does not depend on how often that happened.
Ranks (RANK and WORLD_SIZE, as torchrun or SLURM scripts set them) share nothing but the disk:
each takes every n-th video, and the one that finishes last reports the failures of all.
"""

import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing.connection import wait as wait_for_sentinels
from pathlib import Path

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

from .video import VideoError

# What one video may go wrong with; anything else is a fault of the program and ends the run.
FAILURES = (VideoError, OSError)
SECONDS_BETWEEN_LOG_LINES = 20


@dataclass(frozen=True, eq=False)
class Job:
    """One video to process.

    Args:
        name: The video id.
        path: The video.
        result: File or folder that exists once the job is done.
        size: Frames to process, for the progress bar.
        done_before: The result stands elsewhere already.
    """

    name: str
    path: Path
    result: Path
    size: int
    done_before: bool = False

    @property
    def done(self) -> bool:
        return self.done_before or self.result.exists()

    @property
    def failure(self) -> Path:
        """Where the reason stands if the job failed."""
        return self.result.with_name(f'.{self.result.name}.failed')

    @property
    def partial(self) -> Path:
        """Where the result grows until it is complete."""
        return self.result.with_name(f'.{self.result.name}.partial')


Advance = Callable[[int], None]
Process = Callable[[Job, Advance], None]
# Called once per worker with its number on this machine; gives what is called per job.
Setup = Callable[[int], Process]


@dataclass
class RunReport:
    """How a run ended: failures by video, and whether no rank has anything left to do."""

    failures: dict[str, str] = field(default_factory=dict)
    complete: bool = True


def run_jobs(setup: Setup, jobs: Sequence[Job], workers: int) -> RunReport:
    """Process the jobs of this rank that are not done yet.

    Args:
        setup: Picklable; prepares a worker (loads a model) and returns its function.
        jobs: The jobs of all ranks; every rank passes the same ones.
        workers: Processes; 0 works in this one.
    """
    rank, world_size = int(os.environ.get('RANK', 0)), int(os.environ.get('WORLD_SIZE', 1))
    mine = sorted(jobs, key=lambda job: job.name)[rank::world_size]
    todo = [job for job in mine if not job.done]
    for job in todo:
        job.failure.unlink(missing_ok=True)
        job.result.parent.mkdir(parents=True, exist_ok=True)
    if todo:
        with _Display(todo, done=len(mine) - len(todo)) as display:
            if workers == 0:
                process = setup(_worker_number(0, 1))
                for job in todo:
                    _attempt(process, job, display.advance)
            else:
                _run_workers(setup, todo, min(workers, len(todo)), display)
    failures = {job.name: job.failure.read_text() for job in jobs if job.failure.exists()}
    complete = all(job.done or job.name in failures for job in jobs)
    return RunReport(failures, complete)


def report_failures(report: RunReport, total: int) -> int:
    """Print what failed and return the exit code.

    Only a run after which nothing is left to do returns 1: an earlier 1 from one of several ranks
    would make launchers such as torchrun stop the others.
    """
    for name, reason in sorted(report.failures.items()):
        print(f'FAILED {name}: {reason}')
    if report.failures:
        print(
            f'{len(report.failures)} of {total} videos failed, the others are done. '
            'Repair or remove them and run the same command again.'
        )
    if not report.complete:
        print('Other ranks are still at work; the last one reports all failures.')
    return int(report.complete and bool(report.failures))


def remove_results(paths: Iterable[Path]) -> None:
    """Delete what earlier runs made.

    Raises:
        ValueError: If several ranks run: one would delete what another has just made.
    """
    if int(os.environ.get('WORLD_SIZE', 1)) > 1:
        raise ValueError('--overwrite cannot be used with several ranks; delete the files first.')
    for path in paths:
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def default_workers() -> int:
    """The cores of this machine, shared between the ranks on it."""
    return max(1, (os.cpu_count() or 1) // int(os.environ.get('LOCAL_WORLD_SIZE', 1)))


def _worker_number(index: int, workers: int) -> int:
    return int(os.environ.get('LOCAL_RANK', 0)) * workers + index


def _attempt(process: Process, job: Job, advance: Advance) -> None:
    advanced = 0

    def count(frames: int) -> None:
        nonlocal advanced
        advanced += frames
        advance(frames)

    try:
        process(job, count)
    except FAILURES as error:
        _remove(job.partial)
        job.failure.write_text(str(error))
    advance(job.size - advanced)


def _run_workers(setup: Setup, jobs: list[Job], workers: int, display: '_Display') -> None:
    # Not fork: CUDA and threads do not survive it. The fork server only imports, once for all.
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload([getattr(setup, 'func', setup).__module__])
    started, progress = context.Value('i', 0), context.SimpleQueue()
    with ProcessPoolExecutor(
        workers, context, initializer=_start_worker, initargs=(setup, workers, started, progress)
    ) as pool:
        pending = {pool.submit(_attempt_in_worker, job) for job in jobs}
        while pending:
            done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
            while not progress.empty():
                display.advance(progress.get())
            try:
                for future in done:
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


# The function and the progress queue of a worker process.
_worker: tuple[Process, Advance] | None = None


def _start_worker(setup: Setup, workers: int, started, progress) -> None:
    global _worker
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with started.get_lock():
        index, started.value = started.value, started.value + 1
    _worker = (setup(_worker_number(index, workers)), progress.put)


def _die_with_parent() -> None:
    # An orphan would go on writing while a restarted run does the same video again.
    wait_for_sentinels([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _attempt_in_worker(job: Job) -> None:
    process, advance = _worker
    _attempt(process, job, advance)


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f'{task.speed:,.0f} frames/s' if task.speed else '', style='cyan')


class _Display:
    """A progress bar in a terminal, a line now and then in a log file."""

    def __init__(self, jobs: list[Job], done: int) -> None:
        self._console = Console()
        self._total = sum(job.size for job in jobs)
        self._frames, self._started, self._logged = 0, time.monotonic(), time.monotonic()
        self._bar = Progress(
            *(TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), _RateColumn()),
            *(TimeElapsedColumn(), TextColumn('left'), TimeRemainingColumn()),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        already = f' ({done} done before)' if done else ''
        self._task = self._bar.add_task(f'{len(jobs)} videos{already}', total=self._total)
        if not self._console.is_terminal:
            print(f'{len(jobs)} videos, {self._total} frames{already}', flush=True)

    def advance(self, frames: int) -> None:
        self._frames += frames
        self._bar.advance(self._task, frames)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._logged > SECONDS_BETWEEN_LOG_LINES:
            self._logged = now
            self._print_line(now)

    def __enter__(self) -> '_Display':
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        if not self._console.is_terminal:
            self._print_line(time.monotonic())

    def _print_line(self, now: float) -> None:
        rate = self._frames / max(now - self._started, 1e-9)
        left = f'{(self._total - self._frames) / rate:.0f} s left' if rate else 'time left unknown'
        print(f'{self._frames}/{self._total} frames, {rate:.0f} frames/s, {left}', flush=True)
