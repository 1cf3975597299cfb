"""The sound of a video file, or of an audio file, between two moments: decoded by PyAV.

Shape legend: N = samples.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np

from ..video import FrameTimes, index_video
from ..video.container import NOT_SHOWN

# Decoding starts a little early: codecs and the resampler need a run-up.
RUN_UP = 0.25
# A track may end so many seconds before its header says: the last packet is not always full.
MAY_LACK = 0.25
# Containers round time stamps, some to milliseconds: samples that follow so closely leave no gap.
SEAM = 0.005
# Tags of sound files without pictures: how many frames their video has per second, and when each
# is shown (`FrameTimes.to_text`) where these are not equally far apart.
FPS_TAG = 'video_fps'
TIMES_TAG = 'video_times'
# A tag of sound files that were mixed from two channels which cancel each other.
CANCELLED_TAG = 'channels_cancel'
# Two channels cancel each other where their mean has less than this share of their power.
LEFT_OF_POWER = 0.01
SILENT_POWER = 1e-8  # -80 dB: noise of a converter is no sound


class TrackInfo(NamedTuple):
    """What the container says of a file; None where it does not know."""

    has_audio: bool
    frames_per_second: float | None
    seconds: float | None
    cancelled: bool = False
    has_pictures: bool = False
    times: FrameTimes | None = None


class Sound(NamedTuple):
    """Samples (N,) float32 in -1 to 1, one channel; `present` (N,) is False where none was.

    `cancelled` says that the two channels of the file have opposite signs, so that next to nothing
    is left of them in one.
    """

    samples_N: np.ndarray
    present_N: np.ndarray
    cancelled: bool = False


@lru_cache(maxsize=4096)
def probe_track(path: Path) -> TrackInfo:
    """What the header of a file says, without an index of its pictures.

    A sound file that mmdistill extract-audio wrote knows the times of its video's frames.

    Raises:
        ValueError: The file cannot be opened, or its tags cannot be read.
    """
    with _open(path) as container:
        video, tags = _pictures(container), {k.lower(): v for k, v in container.metadata.items()}
        rate = video[0].average_rate if video else tags.get(FPS_TAG)
        seconds = container.duration / av.time_base if container.duration else None
        has_audio, cancelled = bool(container.streams.audio), CANCELLED_TAG in tags
    rate = float(rate) if rate else None
    times = FrameTimes.constant(rate) if rate and not video else None
    if times and TIMES_TAG in tags:
        try:
            times = FrameTimes.from_text(tags[TIMES_TAG], rate)
        except ValueError as error:
            raise ValueError(f'{path}: {error}: extract its sound again.') from error
    return TrackInfo(has_audio, rate, seconds, cancelled, bool(video), times)


def times_of_frames(path: Path) -> FrameTimes | None:
    """When the frames are shown, by the pictures of a file or its tags; None if neither is there.

    Raises:
        ValueError: The file cannot be read.
    """
    track = probe_track(path)
    return index_video(path).frame_times if track.has_pictures else track.times


def read_sound(path: Path, start: float, stop: float, sample_rate: int) -> Sound:
    """The sound from `start` to `stop` seconds of the video, silence where there is none.

    Time 0 is when the first picture is shown; in a file without pictures, the track's beginning.

    Raises:
        ValueError: The file cannot be opened, has no audio track, is damaged, or ends before its
            header says.
    """
    try:
        with _open(path) as container:
            if not container.streams.audio:
                raise ValueError(
                    f'{path} has no audio track: set optional=True on AudioModality, or remove '
                    'its clips from the annotation file.'
                )
            stream = container.streams.best('audio')
            origin = _origin(path, container, stream)
            begin = start - RUN_UP
            placed, end = _decode(container, stream, origin, begin, stop + RUN_UP)
            _check_end(path, stream, origin, end, (start, stop))
            rate = stream.codec_context.sample_rate
    except av.FFmpegError as error:
        raise ValueError(
            f'{path}: the audio track cannot be decoded between {start:.2f} and {stop:.2f} s '
            f'({error}): the file is damaged, fetch it again.'
        ) from error
    samples = resample(placed.samples_N, rate, sample_rate)
    first, count = round(RUN_UP * sample_rate), round((stop - start) * sample_rate)
    samples = np.pad(samples, (0, max(0, first + count - len(samples))))[first : first + count]
    moments = begin + (first + np.arange(count)) / sample_rate
    index = np.clip(np.floor((moments - begin) * rate), 0, len(placed.present_N) - 1)
    return Sound(samples, placed.present_N[index.astype(np.int64)], placed.cancelled)


def cancelled_message(path: Path) -> str:
    """What to say of a file whose channels cancel each other."""
    return (
        f'{path}: its two channels cancel each other when they are mixed into one, so next to '
        'nothing of the sound is left. Keep one of them: '
        '`ffmpeg -i IN -c:v copy -af "pan=mono|c0=c0" OUT`.'
    )


def resample(samples_N: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Another sample rate, by FFmpeg's band-limited resampler; one channel of float32."""
    if rate == wanted or not samples_N.any():
        return (
            samples_N if rate == wanted else np.zeros(len(samples_N) * wanted // rate, np.float32)
        )
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples_N[None], dtype=np.float32), format='fltp', layout='mono'
    )
    frame.sample_rate = rate
    resampler = av.AudioResampler(format='fltp', layout='mono', rate=wanted)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in parts])


def _decode(
    container: Any, stream: Any, origin: float, begin: float, stop: float
) -> tuple[Sound, float]:
    """Samples at the track's own rate, each at its time; and the second at which they end."""
    rate = stream.codec_context.sample_rate
    count = max(1, round((stop - begin) * rate))
    sound = Sound(np.zeros(count, np.float32), np.zeros(count, bool))
    mono = av.AudioResampler(format='fltp', layout='mono', rate=rate)
    channels = _Channels(rate)
    time_base, end = float(stream.time_base), -np.inf
    if begin > 1:
        container.seek(int((begin + origin - 1) / time_base), stream=stream)
    for frame in container.decode(stream):
        if frame.pts is None:
            continue
        moment = frame.pts * float(frame.time_base) - origin
        moment = end if abs(moment - end) < SEAM else moment
        if moment > stop:
            end = moment  # there is more, so nothing is cut
            break
        channels.add(frame)
        for part in mono.resample(frame):
            samples = part.to_ndarray()[0]
            first = round((moment - begin) * rate)
            end, moment = moment + len(samples) / rate, moment + len(samples) / rate
            low, high = max(0, first), min(count, first + len(samples))
            if low < high:
                sound.samples_N[low:high] = samples[low - first : high - first]
                sound.present_N[low:high] = True
    return sound._replace(cancelled=channels.cancel), end


class _Channels:
    """The power of the two channels of a track, and of their mean."""

    def __init__(self, rate: int) -> None:
        self._stereo = av.AudioResampler(format='fltp', layout='stereo', rate=rate)
        self._count, self._power, self._mean_power = 0, 0.0, 0.0

    def add(self, frame: av.AudioFrame) -> None:
        """Look at a decoded frame; one of another number of channels is left alone."""
        if len(frame.layout.channels) != 2:
            return
        for part in self._stereo.resample(frame):
            both_2N = part.to_ndarray()
            self._count += both_2N.shape[1]
            self._power += float(np.square(both_2N).mean(axis=0).sum())
            self._mean_power += float(np.square(both_2N.mean(axis=0)).sum())

    @property
    def cancel(self) -> bool:
        """Whether next to nothing is left of them in their mean."""
        audible = self._power > SILENT_POWER * self._count
        return audible and self._mean_power < LEFT_OF_POWER * self._power


def _check_end(
    path: Path, stream: Any, origin: float, end: float, wanted: tuple[float, float]
) -> None:
    """Compare where the sound ended with what the header promises; `wanted` is what was asked."""
    begin, stop = wanted
    if stream.duration is None:
        return
    first = (stream.start_time or 0) * float(stream.time_base) - origin
    promised = first + stream.duration * float(stream.time_base)
    if promised - MAY_LACK > max(begin, end) and end < stop - MAY_LACK:
        raise ValueError(
            f'{path} is cut short: its header promises sound to {promised:.2f} s, but nothing can '
            f'be decoded after {max(end, 0):.2f} s; fetch it again.'
        )


def _origin(path: Path, container: Any, stream: Any) -> float:
    """When the first picture is shown, or the sound of a file without any begins, in seconds."""
    if _pictures(container):
        return index_video(path).origin
    return float((stream.start_time or 0) * stream.time_base)


def _pictures(container: Any) -> list[av.VideoStream]:
    """The video streams, without cover art."""
    return [stream for stream in container.streams.video if not stream.disposition & NOT_SHOWN]


def _open(path: Path) -> Any:
    try:
        return av.open(os.path.abspath(path))  # `a:b.wav` is no protocol
    except av.FFmpegError as error:
        raise ValueError(
            f'{path} cannot be opened ({error}): truncated, or neither video nor audio; '
            'fetch it again.'
        ) from error
