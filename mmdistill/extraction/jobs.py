"""Run one job per video: split over ranks and workers, restartable, with a progress bar.

A job is done when its result exists, and a result appears all at once. So a killed run continues
where it stopped, and what it leaves behind does not depend on how often that happened.
Ranks (`shares`) share nothing but the disk: each takes every n-th video, and the one that finishes
last reports the failures of all.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..files import remove
from ..video import VideoError, index_video
from .progress import JobDisplay
from .shares import local_share, my_share
from .workers import attempt, run_in_workers

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
    def replaced(self) -> Path:
        """Where an earlier result is while a new one gets its name."""
        return self.result.with_name(f'.{self.result.name}.old')

    @property
    def manifest(self) -> Path:
        """The file that says of each result how it was made."""
        return self.result.with_name(MANIFEST)

    def put_in_place(self) -> None:
        """Give what has grown in `partial` its name; an earlier result is removed afterwards."""
        if self.result.is_dir():
            self.result.rename(self.replaced)
        self.partial.replace(self.result)
        remove(self.replaced)

    def tidy(self) -> None:
        """Finish what a killed run has begun, and remove what it has left behind."""
        if self.replaced.exists() and not self.result.exists():
            self.replaced.rename(self.result)  # killed between the two renames
        remove(self.replaced)
        remove(self.partial)


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


def my_jobs(jobs: Sequence[Job]) -> list[Job]:
    """Those of this rank: every n-th by name."""
    share = my_share()
    return sorted(jobs, key=lambda job: job.name)[share.index :: share.count]


def run_jobs(setup: Setup, jobs: Sequence[Job], workers: int, overwrite: bool = False) -> RunReport:
    """Process the jobs of this rank that are not done yet.

    Args:
        setup: Picklable; prepares a worker (loads a model) and returns its function.
        jobs: The jobs of all ranks; every rank passes the same ones.
        workers: Processes; 0 works in this one.
        overwrite: Also those that are done; each result stays until the new one is complete.

    Raises:
        Exception: What is no fault of a video, at once; finished results are kept.
    """
    mine = my_jobs(jobs)
    todo = [job for job in mine if overwrite or not job.done]
    for job in mine:
        remove(job.failure)
    failures, seconds = _process(setup, todo, workers, len(mine) - len(todo)) if todo else ({}, 0.0)
    for job in jobs:
        if not job.done and job.name not in failures:
            with suppress(FileNotFoundError):
                failures[job.name] = job.failure.read_text()
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


def _process(
    setup: Setup, todo: list[Job], workers: int, done: int
) -> tuple[dict[str, str], float]:
    """Process these jobs; returns the reasons of failures, and the seconds that they took."""
    for job in todo:
        job.result.parent.mkdir(parents=True, exist_ok=True)
    share = my_share()
    note = f', share {share.index + 1} of {share.count}' if share.count > 1 else ''
    note += f' ({done} done before)' if done else ''
    with JobDisplay(len(todo), sum(job.size for job in todo), note) as display:
        try:
            if workers == 0:
                failures = _work_here(setup, todo, display)
            else:
                workers = min(workers, len(todo))
                numbered = partial(_numbered, setup, local_share().index * workers)
                failures = run_in_workers(numbered, todo, workers, display.advance)
        except BaseException:
            for job in todo:
                remove(job.partial)
            raise
        return failures, display.seconds


def _work_here(setup: Setup, todo: list[Job], display: JobDisplay) -> dict[str, str]:
    process = setup(local_share().index)
    display.advance(0)
    reasons = {job.name: attempt(process, job, display.advance) for job in todo}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _numbered(setup: Setup, first: int, worker: int) -> Process:
    """Set up a worker of this process, counted among those of all ranks on this machine."""
    return setup(first + worker)
