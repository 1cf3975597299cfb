"""Compare what an extraction left on the disk with its manifest and with the videos."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import av
import numpy as np

from mmdistill.modalities.audio_track import times_of_frames
from mmdistill.modalities.detection_file import DetectionFile

from .check_times import otherwise_timed
from .jobs import Job
from .manifest import check_settings, entries_of

# What is wrong with the result of a job, given its entry in the manifest.
Look = Callable[[Job, dict[str, Any]], list[str]]
JPEG_END = b'\xff\xd9'


def check_jobs(jobs: Iterable[Job], look: Look, settings: dict[str, Any]) -> list[str]:
    """All problems of an extraction, a line each that begins with the video.

    Args:
        look: Compares a result with its entry.
        settings: How the results should have been made.
    """
    jobs = sorted(jobs, key=lambda job: job.name)
    entries = entries_of(jobs)
    return [
        f'{job.name}: {problem}'
        for job in jobs
        for problem in _problems(job, entries.get(job.name), look, settings)
    ]


def report_check(problems: list[str], num_videos: int) -> int:
    """Print what `check_jobs` found and return the exit code."""
    for problem in problems:
        print(f'PROBLEM {problem}')
    names = {problem.split(':')[0] for problem in problems}
    if problems:
        print(
            f'{len(names)} of {num_videos} videos are not as they should be: move away what was '
            'made of them and run the same command without --check.'
        )
    else:
        print(f'Fine: {num_videos} videos.')
    return int(bool(problems))


def _problems(
    job: Job, entry: dict[str, Any] | None, look: Look, settings: dict[str, Any]
) -> list[str]:
    if not job.path.is_file():
        return [f'its video {job.path} is missing']
    if not job.done:
        reason = f' ({job.failure.read_text()})' if job.failure.exists() else ''
        return [f'it was not extracted{reason}']
    if entry is None:
        return [f'{job.result} is not in {job.manifest}: nobody knows how it was made']
    problems = []
    try:
        check_settings(job.result, entry['settings'], settings)
    except ValueError as error:
        problems.append(str(error))
    size = job.path.stat().st_size
    if size != entry['source_bytes']:
        problems.append(
            f'it is stale: made of a video of {entry["source_bytes"]} bytes, but {job.path} has '
            f'{size}'
        )
    return problems + look(job, entry)


def look_at_flow(job: Job, entry: dict[str, Any]) -> list[str]:
    """As many images of u and of v as the manifest and the video say, and all of their bytes."""
    images = {axis: _images(job.result / axis) for axis in 'uv'}
    counts = {axis: len(sizes) for axis, sizes in images.items()}
    problems = _wrong_length(job, entry['frames'])
    if set(counts.values()) != {entry['frames']}:
        problems.append(
            f'{job.result} holds {counts["u"]} images in u and {counts["v"]} in v, not '
            f'{entry["frames"]} each'
        )
    num_bytes = sum(size for sizes in images.values() for size in sizes.values())
    if not problems and num_bytes != entry['bytes']:
        cut = [path for sizes in images.values() for path in sizes if not _is_whole(path)]
        named = f'; cut short: {cut[0]}' if cut else ''
        problems.append(f'{job.result} has {num_bytes} bytes, not {entry["bytes"]}{named}')
    return problems


def look_at_sound(job: Job, entry: dict[str, Any]) -> list[str]:
    """The file has its bytes, as many samples, and the times of its video's frames."""
    size = job.result.stat().st_size
    if size != entry['bytes']:
        return [f'{job.result} has {size} bytes, not {entry["bytes"]}: cut short?']
    try:
        with av.open(os.path.abspath(job.result)) as container:
            samples = container.streams.audio[0].duration
    except (av.FFmpegError, IndexError) as error:
        return [f'{job.result} cannot be read ({error})']
    if samples != entry['samples']:
        return [f'{job.result} has {samples} samples, not {entry["samples"]}']
    if job.path.stat().st_size != entry['source_bytes']:
        return _wrong_length(job, entry['frames'])
    try:
        times, wanted = times_of_frames(job.result), times_of_frames(job.path)
    except ValueError as error:
        return [str(error)]
    return [] if wanted is None else otherwise_timed(job.result, times, wanted)


def look_at_detections(path: Path) -> Look:
    """The frames of the annotations were processed, of a video as long as it is now."""
    file = DetectionFile(path)

    def look(job: Job, entry: dict[str, Any]) -> list[str]:
        try:
            if not file.has(job.name):
                return [f'{path} has no such video']
            video = file.load(job.name)
        except (OSError, ValueError) as error:
            return [f'{path} cannot be read ({error})']
        problems = []
        if not np.array_equal(video.frames_F, job.frames_F):
            problems.append(f'{path} has {len(video.frames_F)} frames of it, not {job.size}')
        if video.num_frames != job.num_frames:
            problems.append(
                f'{path} is of a video of {video.num_frames} frames, but {job.path} has '
                f'{job.num_frames}'
            )
        return problems

    return look


def _wrong_length(job: Job, num_frames: int) -> list[str]:
    if num_frames == job.size:
        return []
    return [f'{job.result} is of {num_frames} frames, but {job.path} has {job.size}']


def _images(folder: Path) -> dict[Path, int]:
    """The JPEGs of a folder with their bytes."""
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as found:
        return {Path(x.path): x.stat().st_size for x in found if x.name.endswith('.jpg')}


def _is_whole(path: Path) -> bool:
    return path.read_bytes()[-len(JPEG_END) :] == JPEG_END
