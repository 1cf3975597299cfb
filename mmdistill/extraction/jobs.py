"""Run one job per video: split over ranks and workers, restartable, with a progress bar.

A job is done when its result exists, and a result appears all at once. So a killed run continues
where it stopped, and what it leaves behind does not depend on how often that happened.
Ranks (`shares`) share nothing but the disk: each takes every n-th video, and the one that finishes
last reports the failures of all.
"""

import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing.connection import wait as wait_for_sentinels
from pathlib import Path

from ..video import VideoError, index_video
from .progress import JobDisplay
from .shares import local_share, my_share

# What one video may go wrong with; anything else is a fault of the program and ends the run.
FAILURES = (VideoError, OSError)
MANIFEST = 'manifest.jsonl'


@dataclass(frozen=True, eq=False)
class Job:
    """One video to process.

    Args:
        name: The video id.
        path: The video.
        result: File or folder that exists once the job is done.
        size: Frames to process, for the progress bar.
        seconds: Length of the video.
        done_before: The result stands elsewhere already.
    """

    name: str
    path: Path
    result: Path
    size: int
    seconds: float = 0.0
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

    @property
    def manifest(self) -> Path:
        """The file that says of each result how it was made."""
        return self.result.with_name(MANIFEST)


def length_of(path: Path) -> tuple[int, float]:
    """Frames and seconds of a video; 0 of both where it cannot be read, as its job will report."""
    try:
        index = index_video(path)
    except VideoError:
        return 0, 0.0
    return index.num_frames, index.seconds


Advance = Callable[[int], None]
Process = Callable[[Job, Advance], None]
# Called once per worker with its number on this machine; gives what is called per job.
Setup = Callable[[int], Process]


@dataclass
class RunReport:
    """How a run ended.

    Args:
        failures: Reasons by video, of all ranks.
        complete: No rank has anything left to do.
        processed: The jobs that this run has finished.
        seconds: What they took, without the loading of models.
    """

    failures: dict[str, str] = field(default_factory=dict)
    complete: bool = True
    processed: list[Job] = field(default_factory=list)
    seconds: float = 0.0


def run_jobs(setup: Setup, jobs: Sequence[Job], workers: int) -> RunReport:
    """Process the jobs of this rank that are not done yet.

    Args:
        setup: Picklable; prepares a worker (loads a model) and returns its function.
        jobs: The jobs of all ranks; every rank passes the same ones.
        workers: Processes; 0 works in this one.
    """
    share = my_share()
    mine = sorted(jobs, key=lambda job: job.name)[share.index :: share.count]
    todo = [job for job in mine if not job.done]
    seconds = _process(setup, todo, workers, len(mine) - len(todo)) if todo else 0.0
    failures = {job.name: job.failure.read_text() for job in jobs if job.failure.exists()}
    complete = all(job.done or job.name in failures for job in jobs)
    processed = [job for job in todo if job.name not in failures]
    return RunReport(failures, complete, processed, seconds)


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
    if my_share().count > 1:
        raise ValueError('--overwrite cannot be used with several ranks; delete the files first.')
    for path in paths:
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _process(setup: Setup, todo: list[Job], workers: int, done: int) -> float:
    """Process these jobs; returns the seconds that they took."""
    for job in todo:
        job.failure.unlink(missing_ok=True)
        job.result.parent.mkdir(parents=True, exist_ok=True)
    share = my_share()
    note = f', share {share.index + 1} of {share.count}' if share.count > 1 else ''
    note += f' ({done} done before)' if done else ''
    with JobDisplay(len(todo), sum(job.size for job in todo), note) as display:
        if workers == 0:
            process = setup(_worker_number(0, 1))
            display.advance(0)
            for job in todo:
                _attempt(process, job, display.advance)
        else:
            _run_workers(setup, todo, min(workers, len(todo)), display)
        return display.seconds


def _worker_number(index: int, workers: int) -> int:
    return local_share().index * workers + index


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


def _run_workers(setup: Setup, jobs: list[Job], workers: int, display: JobDisplay) -> None:
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
    progress.put(0)


def _die_with_parent() -> None:
    # An orphan would go on writing while a restarted run does the same video again.
    wait_for_sentinels([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _attempt_in_worker(job: Job) -> None:
    process, advance = _worker
    _attempt(process, job, advance)
