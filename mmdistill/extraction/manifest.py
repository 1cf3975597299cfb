"""What an extraction knows of itself: a line per finished video in a file beside the output.

    {"video": "P01_101", "result": "P01_101", "source": "data/…/P01_101.MP4", "source_bytes": 91823,
     "seconds": 20.1, "frames": 201, "bytes": 553108, "settings": {…}, "versions": {…},
     "made": "2026-01-31T…"}

A line is written just before its result gets its name, so every result has one; the last line of a
video counts. Times stand here and not in the results, which are the same bytes in every run.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2

import mmdistill

from ..extras import installed_versions
from ..locks import NO_LOCKS
from .jobs import Job

PACKAGES = ('numpy', 'av', 'h5py', 'torch', 'mmdet')


def record(
    job: Job, settings: dict[str, Any], num_frames: int, num_bytes: int, **more: object
) -> None:
    """Write the line of a job whose result is complete but has no name yet.

    Args:
        settings: Everything that the result depends on beside the video, as JSON.
        num_frames: Of the result.
        num_bytes: Of its files.
        **more: What else `--check` needs.
    """
    entry = dict(
        video=job.name,
        result=job.result.name,
        source=str(job.path),
        source_bytes=job.path.stat().st_size,
        seconds=round(job.seconds, 3),
        frames=num_frames,
        bytes=num_bytes,
        **more,
        settings=settings,
        versions=_versions(),
        made=datetime.now(timezone.utc).isoformat(timespec='seconds'),
    )
    with locked(job.manifest):
        _append(job.manifest, json.dumps(entry))


def read_manifest(path: Path) -> dict[str, dict[str, Any]]:
    """The entries by video; none where there is no file."""
    return {entry['video']: entry for entry in _entries(path)}


def entries_of(jobs: Iterable[Job]) -> dict[str, dict[str, Any]]:
    """The entries of these jobs by video, from as many manifests as they have."""
    jobs = list(jobs)
    known = {
        # Lines of older versions do not say which result of the video they are of.
        (path, entry['video'], entry.get('result')): entry
        for path in {job.manifest for job in jobs}
        for entry in _entries(path)
    }
    found: dict[str, dict[str, Any]] = {}
    for job in jobs:
        for result in (job.result.name, None):
            entry = known.get((job.manifest, job.name, result))
            if entry is not None:
                found.setdefault(job.name, entry)
    return found


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    for line in path.read_text().splitlines():
        # One that was truncated by a full disk is skipped: its video counts as not recorded.
        with suppress(ValueError, RecursionError):
            entry = json.loads(line)
            if isinstance(entry, dict) and isinstance(entry.get('video'), str):
                yield entry


def check_settings(path: Path, came: dict[str, Any] | None, wanted: dict[str, Any]) -> None:
    """Refuse to mix results of different settings.

    Args:
        path: The result that is there.
        came: How it was made; None where nobody knows.

    Raises:
        ValueError: It was made otherwise; names what differs.
    """
    advice = 'Choose another place for the output, or move it away.'
    if came is None:
        raise ValueError(f'{path} was made with unknown settings. {advice}')
    wanted = json.loads(json.dumps(wanted))
    differing = [
        f'{key} is {came.get(key)} there, {wanted.get(key)} now'
        for key in sorted(came.keys() | wanted.keys())
        if came.get(key) != wanted.get(key)
    ]
    if differing:
        raise ValueError(
            f'{path} was made with other settings (differing: {"; ".join(differing)}). {advice}'
        )


@contextmanager
def locked(manifest: Path) -> Iterator[None]:
    """Keep other ranks from the manifest and from what it describes."""
    manifest.parent.mkdir(parents=True, exist_ok=True)
    with manifest.open('a') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:  # without locks, as `output_lock` has told
            if error.errno not in NO_LOCKS:
                raise
        yield


def _append(path: Path, line: str) -> None:
    with path.open('rb+') as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b'\n':  # a line that was cut short stays alone
                line = f'\n{line}'
        file.write(f'{line}\n'.encode())


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    # OpenCV comes in packages of several names.
    ours = {'mmdistill': mmdistill.__version__, 'opencv': cv2.__version__}
    return ours | installed_versions(*PACKAGES)
