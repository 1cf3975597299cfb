"""Work on jobs in processes, and outlive a damaged video that takes its process with it."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import wait as wait_for_sentinels
from typing import TYPE_CHECKING, Any

from ..files import remove
from ..video import VideoError

if TYPE_CHECKING:
    from .jobs import Advance, Job, Process, Setup

# Not fork: CUDA, decoders and HDF5 do not survive it. The fork server only imports, once for all.
METHOD = 'forkserver'
# What one video may go wrong with; anything else is a fault of the program and ends the run.
FAILURES = (VideoError, OSError)
DIED = (
    '{path} killed the process that worked on it: the file is damaged, or the memory was full '
    '(fewer --workers need less)'
)


@contextmanager
def worker_pool(
    workers: int, method: str = METHOD, **options: Any
) -> Iterator[ProcessPoolExecutor]:
    """A process pool; what is under way when an exception leaves the block is not waited for.

    Args:
        workers: Processes.
        method: How they start.
        **options: Of ProcessPoolExecutor.
    """
    if method == METHOD:
        _start_server()
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, multiprocessing.get_context(method), **options) as pool:
        try:
            yield pool
        except BaseException:
            # The pool's own exit would undo the cancelling and compute everything to its end.
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            raise


def attempt(process: 'Process', job: 'Job', advance: 'Advance') -> str | None:
    """Do one job; returns why its video is at fault, if it is, and leaves a mark that says so."""
    advanced = 0

    def count(frames: int) -> None:
        nonlocal advanced
        advanced += frames
        advance(frames)

    reason = None
    try:
        process(job, count)
    except FAILURES as error:
        reason = str(error)
        mark_failure(job, reason)
    advance(job.size - advanced)
    return reason


def mark_failure(job: 'Job', reason: str) -> None:
    """Write why a job failed beside its result, for the rank that reports the failures of all."""
    remove(job.partial)
    with suppress(OSError):  # on a full disk this process still knows it
        job.failure.write_text(reason)


def run_in_workers(
    setup: 'Setup', jobs: Sequence['Job'], workers: int, advance: 'Advance'
) -> dict[str, str]:
    """Do the jobs; returns the reasons of those that failed.

    Any other exception of a worker comes at once. Where a worker dies, what was under way is done
    again, one by one: the job that kills its worker again has failed.

    Args:
        setup: As of `run_jobs`; numbers of workers count from 0.
        advance: Told of frames done; of 0 when a worker is ready.
    """
    failures: dict[str, str] = {}
    waiting = deque(jobs)
    while waiting:
        for job in _until_a_worker_dies(setup, waiting, workers, advance, failures):
            if _until_a_worker_dies(setup, deque([job]), 1, advance, failures):
                failures[job.name] = DIED.format(path=job.path)
                mark_failure(job, failures[job.name])
    return failures


def _until_a_worker_dies(
    setup: 'Setup',
    waiting: deque['Job'],
    workers: int,
    advance: 'Advance',
    failures: dict[str, str],
) -> list['Job']:
    """Work on `waiting`; returns the jobs that were under way when a worker died, or none."""
    context = multiprocessing.get_context(METHOD)
    context.set_forkserver_preload([getattr(setup, 'func', setup).__module__])
    started, progress = context.Value('i', 0), context.SimpleQueue()
    arguments = (setup, started, progress)
    with worker_pool(workers, initializer=_start_worker, initargs=arguments) as pool:
        running: dict[Future[Any], Job] = {}
        suspects: list[Job] = []
        while (waiting or running) and not suspects:
            # No more at a time than there are workers: only those may have killed one.
            while waiting and len(running) < workers:
                job = waiting.popleft()
                running[pool.submit(_attempt_in_worker, job)] = job
            done = wait(running, timeout=0.2, return_when=FIRST_COMPLETED).done
            while not progress.empty():
                advance(progress.get())
            if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                done = wait(running).done
            for future in done:
                job = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    suspects.append(job)
                elif reason := future.result():
                    failures[job.name] = reason
        return suspects


# The function and the progress queue of a worker process, or why there is none.
_worker: 'tuple[Process, Advance] | Exception'


def _start_worker(setup: 'Setup', started: Any, progress: Any) -> None:
    global _worker
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with started.get_lock():
        index, started.value = started.value, started.value + 1
    try:
        _worker = (setup(index), progress.put)
    except Exception as error:
        _worker = error  # raised here it would be lost, and the pool only called broken
    progress.put(0)


def _die_with_parent() -> None:
    # An orphan would go on writing while a restarted run does the same video again.
    wait_for_sentinels([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _attempt_in_worker(job: 'Job') -> str | None:
    if isinstance(_worker, Exception):
        raise _worker
    return attempt(_worker[0], job, _worker[1])


def _start_server() -> None:
    """Start the fork server deaf to Ctrl-C, so that of all processes only the main one hears it."""
    resource_tracker.ensure_running()  # later it would unblock the signal
    earlier = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier)
