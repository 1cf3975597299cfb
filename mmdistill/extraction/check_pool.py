"""Check videos in several processes, and outlive a decoder that takes its process with it."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple

from mmdistill.modalities import Modality

from .check_clips import Complete, Problem, VideoFindings, check_video
from .workers import METHOD, worker_pool


class VideoTask(NamedTuple):
    """Some clips of a video to look at: the arguments of `check_video`."""

    loader: str
    modalities: dict[str, Modality]
    num_frames: int
    records: list[dict[str, Any]]
    complete: Complete = dict


def check_videos(
    tasks: Sequence[VideoTask], workers: int, method: str = METHOD
) -> Iterator[tuple[int, VideoFindings]]:
    """Yield the number of a task and what was found, in the order in which they are done.

    A damaged file may kill the process that decodes it. What was under way is then looked at again,
    each video in a process of its own, and if that dies too, clip by clip and modality by modality:
    the one that kills it becomes a `Problem` like any other.

    Args:
        workers: Processes.
        method: How they start. Not by fork, except in tests: decoders and HDF5 do not survive it.
    """
    waiting = deque(range(len(tasks)))
    while waiting:
        under_way = yield from _until_a_process_dies(tasks, waiting, workers, method)
        for number in under_way:
            yield number, _check_alone(tasks[number], method)


def _until_a_process_dies(
    tasks: Sequence[VideoTask], waiting: deque[int], workers: int, method: str
) -> Iterator[tuple[int, VideoFindings]]:
    """Work on `waiting`; return the numbers that were under way when a process died, or none."""
    with worker_pool(workers, method) as pool:
        running: dict[Future[Any], int] = {}
        while waiting or running:
            # No more at a time than there are processes: those may have killed one, and no others.
            while waiting and len(running) < workers:
                number = waiting.popleft()
                running[pool.submit(check_video, *tasks[number])] = number
            done = wait(running, return_when=FIRST_COMPLETED).done
            if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                return sorted(running.values())
            for future in done:
                yield running.pop(future), future.result()
    return []


def _check_alone(task: VideoTask, method: str) -> VideoFindings:
    found = _survived(task, method)
    if found is not None:
        return found
    findings = VideoFindings(len(task.records))
    for record in task.records:
        for key, modality in task.modalities.items():
            part = task._replace(modalities={key: modality}, records=[record])
            found = _survived(part, method)
            if found is None:
                text = (
                    f'{modality.path(record)} killed the process that decoded it: the file is '
                    'damaged (or the memory was full); fetch or extract it again'
                )
                findings.problems.append(Problem(task.loader, record['sample_id'], key, text))
            else:
                findings.problems += found.problems
                findings.absent.update(found.absent)
    return findings


def _survived(task: VideoTask, method: str) -> VideoFindings | None:
    """What a process of its own finds; None if it dies."""
    with worker_pool(1, method) as pool:
        try:
            return pool.submit(check_video, *task).result()
        except BrokenProcessPool:
            return None
