"""The sound of whole videos as small files: one channel of FLAC, in the time of the video.

Second 0 of RESULT is the first picture of the video, so `AudioModality` reads either alike. Its
tags say when the video's frames are shown: `video_fps`, and `video_times` where their rate varies.
Silence at the end is left out.
"""

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np

from mmdistill.modalities.audio_track import (
    CANCELLED_TAG,
    FPS_TAG,
    TIMES_TAG,
    cancelled_message,
    probe_track,
    read_sound,
)
from mmdistill.ranges import SAMPLE_RATE
from mmdistill.video import VideoError, index_video

from .jobs import Advance, Job, Process, length_of
from .manifest import check_settings, entries_of, record

# Seconds that are decoded at once: a track of hours does not fit into memory.
CHUNK = 120
# What stands for frames where a file has no pictures.
FRAMES_PER_SECOND = 25.0


@dataclass(frozen=True)
class SoundSettings:
    """How sound is stored: 16 bits per sample.

    Args:
        sample_rate: Samples per second; that of the modality, or more.
    """

    sample_rate: int = 24000

    def __post_init__(self) -> None:
        SAMPLE_RATE.check(sample_rate=self.sample_rate)

    def fingerprint(self) -> dict[str, Any]:
        """Everything that the files depend on, as JSON."""
        return dict(codec='flac', bits=16, **asdict(self))


def make_sound_job(name: str, path: Path, result: Path) -> Job | None:
    """The job of one video; None where it has no audio track."""
    try:
        track = probe_track(path)
    except (ValueError, FileNotFoundError):
        return Job(name, path, result, 0)  # it will report itself
    if not track.has_audio:
        return None
    if not track.has_pictures:
        seconds = track.seconds or 0.0
        return Job(name, path, result, round(seconds * FRAMES_PER_SECOND), seconds)
    return Job(name, path, result, *length_of(path))


def set_up_sound(settings: SoundSettings, worker: int) -> Process:
    """Prepare a worker (bind all but `worker` and it is a `jobs.Setup`)."""
    return partial(extract_sound, settings)


def extract_sound(settings: SoundSettings, job: Job, advance: Advance) -> None:
    """Write the sound of one video; the file `job.result` appears when it is complete.

    Raises:
        VideoError: If the track is damaged, cut short or empty.
        OSError: If the file cannot be written.
    """
    rate, written, advanced = settings.sample_rate, 0, 0
    try:
        chunks = _chunks(job.path, rate)
        # The tags come before the sound, so they tell of its beginning.
        first, cancelled = next(chunks, (None, False))
        if first is None:
            raise VideoError(f'{job.path} has an audio track without any sound.')
        with av.open(os.path.abspath(job.partial), 'w', format='flac') as out:
            out.metadata.update(_tags(job.path))
            if cancelled:
                out.metadata[CANCELLED_TAG] = '1'
            stream = out.add_stream('flac', rate=rate, layout='mono')
            for samples, also in itertools.chain([(first, cancelled)], chunks):
                cancelled |= also
                out.mux(stream.encode(_frame(samples, rate, written)))
                written += len(samples)
                share = min(1.0, written / rate / max(job.seconds, 1e-3))
                advance(round(share * job.size) - advanced)
                advanced = round(share * job.size)
            out.mux(stream.encode(None))
    except ValueError as error:
        raise VideoError(str(error)) from error
    num_bytes = job.partial.stat().st_size
    record(job, settings.fingerprint(), job.size, num_bytes, samples=written, cancelled=cancelled)
    job.put_in_place()


def print_cancelled(jobs: Iterable[Job]) -> None:
    """A line for every video whose channels cancel each other, as the manifest knows."""
    jobs = list(jobs)
    entries = entries_of(jobs)
    for job in jobs:
        if entries.get(job.name, {}).get('cancelled'):
            print(f'warning: {cancelled_message(job.path)}')


def check_earlier_sound(settings: SoundSettings, jobs: list[Job]) -> None:
    """Refuse to mix sound of different settings in one data set.

    Raises:
        ValueError: If a job's result was made in another way.
    """
    entries, wanted = entries_of(jobs), settings.fingerprint()
    for job in jobs:
        if job.result.exists():
            check_settings(job.result, entries.get(job.name, {}).get('settings'), wanted)


def _chunks(path: Path, rate: int) -> Iterator[tuple[np.ndarray, bool]]:
    """The samples (N,) int16 of a track, to the last one that is there; whether channels cancel."""
    seconds, silent = probe_track(path).seconds or 0.0, 0
    for start in itertools.count(0, CHUNK):
        sound = read_sound(path, start, start + CHUNK, rate)
        present = np.flatnonzero(sound.present_N)
        if len(present):
            if silent:
                yield np.zeros(silent, np.int16), False
            stop = present[-1] + 1
            scaled = np.rint(sound.samples_N[:stop] * 32768)
            yield np.clip(scaled, -32768, 32767).astype(np.int16), sound.cancelled
            silent = len(sound.samples_N) - stop
        else:
            silent += len(sound.samples_N)
        # There may be more than the header promises, but not after a silent end.
        if silent and start + CHUNK >= seconds:
            return


def _tags(path: Path) -> dict[str, str]:
    """What the file has to know of the frames of its video."""
    track = probe_track(path)
    if not track.has_pictures:
        return {}
    index = index_video(path)
    tags = {FPS_TAG: repr(index.frames_per_second)}
    return tags if index.constant_rate else tags | {TIMES_TAG: index.frame_times.to_text()}


def _frame(samples_N: np.ndarray, rate: int, position: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples_N[None], format='s16', layout='mono')
    frame.sample_rate, frame.pts = rate, position
    return frame
