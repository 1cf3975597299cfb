"""Runs a small graph of stages: independent ones side by side, finished ones not at all."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from ..cli import commands
from ..locks import output_lock
from ..ranges import ONE_OR_MORE
from ..signals import stopped_in_one_line
from .display import LineDisplay, last_lines, make_display
from .memory import process_tree_bytes
from .stage import OneFile, Stage, finished_stamp, read_json, run_id, write_json

POLL_SECONDS = 0.2
MEASURE_SECONDS = 1.0  # walking the page tables of large processes takes its time
# One thread per process: two on two cores, beside a loader worker or another stage, wait for each
# other and were seen hundreds of times slower; and results must not depend on what ran alongside.
THREADS = dict.fromkeys(('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS'), '1')


class StageFailedError(RuntimeError):
    """A stage ended with an error; the message holds the end of its log and what to do."""


@dataclass
class RunSummary:
    """What a run of a chain took.

    Args:
        seconds: Stage name to seconds of this run's or the earlier run's work.
        peak_bytes: Stage name to its peak memory.
        skipped: Stages that had been finished before.
        failed: Stage name to what is to be said about its failure.
        total_seconds: Wall time of this run.
        total_peak_bytes: Largest sum over everything that ran at the same time in this run.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    peak_bytes: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    total_seconds: float = 0.0
    total_peak_bytes: int = 0


@dataclass
class _Running:
    stage: Stage
    identity: dict[str, Any]
    process: subprocess.Popen[bytes]
    started: float
    peak_bytes: int = 0


def run_stages(
    stages: list[Stage],
    jobs: int,
    cores: int,
    display: LineDisplay | None = None,
    again: str = 'the same command',
    keep_going: bool = False,
) -> RunSummary:
    """Run what is not finished yet.

    Args:
        stages: In an order that respects `needs`; of several that could start, the first does.
        jobs: How many stages may run side by side.
        cores: Processor cores; stages side by side share them out evenly as their `{workers}`.
        display: Told what starts, runs and ends.
        again: How the user continues after a failure, for the error message.
        keep_going: A failed stage is noted in the summary and takes with it only those that need
            it; otherwise it ends the run.

    Raises:
        StageFailedError: when a stage fails; those beside it are stopped and can be continued.
        RuntimeError: when another run works in the same folder.
        ValueError: `jobs` is less than 1.
    """
    ONE_OR_MORE.check(jobs=jobs)
    _check_graph(stages)
    display = display or LineDisplay()
    with contextlib.ExitStack() as held:
        # The stages inherit the locks: one that outlives a killed run keeps the next run out.
        homes = sorted({stage.home for stage in stages})
        found = [held.enter_context(output_lock(home, inside='stages')) for home in homes]
        locks = tuple(lock for lock in found if lock is not None)
        scheduler = _Scheduler(stages, jobs, cores, display, again, locks, keep_going)
        with display.showing([stage.name for stage in stages]):
            try:
                return scheduler.run()
            finally:
                scheduler.stop_all()


def run_chain(stages: list[Stage], jobs: int, keep_going: bool = False) -> RunSummary:
    """`run_stages` for a command-line tool: shows progress, ends with one message on trouble.

    Raises:
        SystemExit: with the message of the failure, or 130 or 143 after Ctrl-C or `kill`.
    """
    cores = os.cpu_count() or 1
    # As Ctrl-C does, `kill` must stop the stages, which live in sessions of their own.
    with stopped_in_one_line():
        try:
            return run_stages(stages, jobs, cores, make_display(), keep_going=keep_going)
        except (StageFailedError, RuntimeError, FileNotFoundError, FileExistsError) as error:
            sys.exit(str(error))


def _check_graph(stages: list[Stage]) -> None:
    known: set[str] = set()
    for stage in stages:
        if stage.name in known:
            raise ValueError(f"Two stages are called '{stage.name}'; give each its own name.")
        unknown = [name for name in stage.needs if name not in known]
        if unknown:
            raise ValueError(f"Stage '{stage.name}' needs {unknown}, not among those before it.")
        known.add(stage.name)


class _Scheduler:
    """The state of one `run_stages` call."""

    def __init__(
        self,
        stages: list[Stage],
        jobs: int,
        cores: int,
        display: LineDisplay,
        again: str,
        locks: tuple[int, ...],
        keep_going: bool,
    ) -> None:
        self.waiting = list(stages)
        self.jobs = jobs
        self.cores = cores
        self.display = display
        self.again = again
        self.locks = locks
        self.keep_going = keep_going
        self.running: list[_Running] = []
        self.measured = 0.0
        self.runs: dict[str, str] = {}
        self.checked: set[str] = set()
        self.summary = RunSummary()

    def run(self) -> RunSummary:
        begin = time.monotonic()
        while self.waiting or self.running:
            self._skip_finished()
            self._start_ready()
            if self.running:
                time.sleep(POLL_SECONDS)
            self._measure()
            for job in [job for job in self.running if job.process.poll() is not None]:
                self._finish(job)
            self.summary.total_seconds = time.monotonic() - begin
        return self.summary

    def _ready(self) -> list[Stage]:
        return [s for s in self.waiting if all(name in self.runs for name in s.needs)]

    def _skip_finished(self) -> None:
        skipped = True
        while skipped:
            skipped = False
            for stage in self._ready():
                if stage.name in self.checked:
                    continue
                self.checked.add(stage.name)
                stamp = finished_stamp(stage, self.runs)
                if stamp is not None:
                    self.waiting.remove(stage)
                    self._record(stage, stamp)
                    self.summary.skipped.append(stage.name)
                    self.display.skipped(stage.name, stamp['seconds'], stamp['peak_bytes'])
                    skipped = True

    def _start_ready(self) -> None:
        starting = self._ready()[: self.jobs - len(self.running)]
        # A stage that is alone keeps all cores: nothing can become ready before it ends.
        workers = max(1, self.cores // max(1, len(starting) + len(self.running)))
        for stage in starting:
            self.waiting.remove(stage)
            self.running.append(self._start(stage, workers))
            self.display.started(stage.name, stage.log)

    def _start(self, stage: Stage, workers: int) -> _Running:
        identity = stage.identity(self.runs)
        resume = read_json(stage.start_mark) == identity
        if not resume:
            stage.check_owned()
            write_json(stage.start_mark, {})  # begun, with nothing to resume
        stage.stamp.unlink(missing_ok=True)
        if not resume:
            stage.clear()
            write_json(stage.start_mark, identity)
        stage.log.parent.mkdir(parents=True, exist_ok=True)
        parts = (p.resolve() if isinstance(p, OneFile) else p for p in stage.command)
        words = [part.replace('{workers}', str(workers)) for part in parts]
        program = ['-m', 'mmdistill'] if words[0] in commands() else []
        command = [sys.executable, *program, *words]
        command += stage.resume if resume else ()
        environment = os.environ | THREADS | {'PYTHONUNBUFFERED': '1'}
        with stage.log.open('a' if resume else 'w') as log:
            log.write(f'$ {" ".join(command)}\n')
            log.flush()
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                pass_fds=self.locks,
            )
        return _Running(stage, identity, process, time.monotonic())

    def _measure(self) -> None:
        if time.monotonic() - self.measured < MEASURE_SECONDS:
            return
        self.measured = time.monotonic()
        total = 0
        for job in self.running:
            size = process_tree_bytes(job.process.pid)
            job.peak_bytes = max(job.peak_bytes, size)
            total += size
            self.display.progress(job.stage.name, size, job.stage.log)
        self.summary.total_peak_bytes = max(self.summary.total_peak_bytes, total)

    def _finish(self, job: _Running) -> None:
        self.running.remove(job)
        stage = job.stage
        if job.process.returncode != 0:
            self._fail(stage, f'ended with exit code {job.process.returncode}')
            return
        missing = stage.missing_outputs()
        if missing:
            self._fail(stage, f'ended well but did not write {missing}')
            return
        stamp = {
            'identity': job.identity,
            'seconds': round(time.monotonic() - job.started, 1),
            'peak_bytes': job.peak_bytes,
            'finished': time.time(),
        }
        write_json(stage.stamp, stamp)
        stage.start_mark.unlink(missing_ok=True)
        self._record(stage, stamp)
        self.display.finished(stage.name, stamp['seconds'], stamp['peak_bytes'])

    def _record(self, stage: Stage, stamp: dict[str, Any]) -> None:
        self.runs[stage.name] = run_id(stamp)
        self.summary.seconds[stage.name] = stamp['seconds']
        self.summary.peak_bytes[stage.name] = stamp['peak_bytes']

    def _fail(self, stage: Stage, reason: str) -> None:
        self.display.failed(stage.name)
        end = '\n'.join(f'  | {line}' for line in last_lines(stage.log, 25))
        message = (
            f"Stage '{stage.name}' {reason}. The end of {stage.log}:\n{end}\n"
            f'To continue: fix the cause and run {self.again}; finished stages are kept, '
            'an interrupted one goes on where it can.'
        )
        if not self.keep_going:
            raise StageFailedError(message)
        self.summary.failed[stage.name] = message
        lost = {stage.name}
        for waiting in list(self.waiting):  # in the order of the chain
            if lost & set(waiting.needs):
                lost.add(waiting.name)
                self.waiting.remove(waiting)

    def stop_all(self) -> None:
        """End whatever still runs, children included."""
        for job in self.running:
            _signal_group(job.process, signal.SIGTERM)
        for job in self.running:
            try:
                job.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                _signal_group(job.process, signal.SIGKILL)
                job.process.wait()


def _signal_group(process: subprocess.Popen[Any], number: int) -> None:
    # The child leads a session of its own, so its process group is its process id.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
