"""Audio: log-mel images of the sound around the sampled frames.

Shape legend: V = temporal clips, C = crops, T = segments of a clip, F = V * T, M = mel bands,
L = steps of a segment.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)

from ..ranges import FINITE, FRACTION, ONE_OR_MORE, POSITIVE, SAMPLE_RATE, ZERO_OR_MORE
from ..registry import MODALITIES
from ..sampling import positions_at_own_rate
from ..video import FrameTimes
from .audio_pack import AudioPack
from .audio_track import Sound, cancelled_message, probe_track, read_sound, times_of_frames
from .base import Modality
from .clip_times import times_of_clip
from .frame_pack import is_pack
from .log_mel import SILENCE_DB, log_mel, mask_bands

NCTHW, NCHW, NCTF = LAYOUTS = ('NCTHW', 'NCHW', 'NCTF')
# Of a clip's sound; codecs round less than that.
SHARE_WORTH_SAYING = 0.05


@MODALITIES.register_module()
class AudioModality(Modality):
    """Sound as log-mel images, float32: a segment centred on each sampled frame.

    The numbers are those of Radevski et al., ICCV 2023 (https://arxiv.org/abs/2307.07483): 24 kHz,
    1.116 s, which make 128 bands and 335 steps (see `log_mel`). Where a clip's sound is shorter
    than the clip, silence stands for it, and a warning says which share; another one names a file
    whose two channels cancel each other. Crop and flip do not
    concern it. It is read from the track of a video, from a sound file, or from an HDF5 file with
    the samples of all videos (`audio_pack`).

    Args:
        input_format: 'NCTHW' for 3D recognizers, (views, channels, T, H, W), and 'NCHW' for 2D
            ones, (views * T, channels, H, W), resized to the geometry's size; or 'NCTF' for
            MMAction2's audio recognizers, (views, 1, L, M): one segment, centred on the clip.
        channels: 1, or 3 equal ones for RGB backbones; of images only.
        sample_rate: Samples per second, to which the track is brought.
        segment_seconds: Length of a segment.
        spectrogram: Arguments of `log_mel`: n_fft, window, hop, num_mels.
        norm: Mean and standard deviation in dB, which are taken off and divided by.
        masking: For training: `time` and `frequency`, the widest stretches that are blanked in
            each segment (columns, bands), and `prob` (default 0.5), how often a clip's are.
        fps: Frames per second of the videos. None takes each frame's own time stamp, of the
            record's `rgb` video; where frames are images its `avg_fps`; else the time stamps of the
            file itself, which extract_audio.py writes into its files, too.
        **kwargs: `source`, `clip_len` (T), `size`, `optional` of `Modality`.

    Raises:
        ValueError: Another layout, number of channels, or key of `masking`; a number out of range.
    """

    def __init__(
        self,
        input_format: str = NCTHW,
        channels: int = 3,
        sample_rate: int = 24000,
        segment_seconds: float = 1.116,
        spectrogram: dict[str, int] | None = None,
        norm: Sequence[float] = (-28.1125, 16.5627),
        masking: dict[str, float] | None = None,
        fps: float | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault('source', 'audio')
        super().__init__(**kwargs)
        SAMPLE_RATE.check(sample_rate=sample_rate)
        POSITIVE.check(segment_seconds=segment_seconds)
        POSITIVE.check_optional(fps=fps)
        self.input_format = input_format
        self.channels = channels
        self.sample_rate = sample_rate
        self.num_samples = round(segment_seconds * sample_rate)
        self.spectrogram = dict(dict(hop=80, num_mels=128), **(spectrogram or {}))
        self.norm = tuple(norm)
        self.masking = dict(dict(time=0, frequency=0, prob=0.5), **(masking or {}))
        self.fps = fps
        self._pack: AudioPack | None = None
        if input_format not in LAYOUTS or channels not in (1, 3) or len(self.masking) != 3:
            raise ValueError(
                f'AudioModality expects input_format in {list(LAYOUTS)}, 1 or 3 channels, and '
                f'masking with time, frequency and prob; got {input_format!r}, {channels}, '
                f'{masking}.'
            )
        self._check_numbers()

    def _check_numbers(self) -> None:
        ONE_OR_MORE.check(**self.spectrogram)
        FINITE.check_pair(norm=self.norm)
        POSITIVE.check(**{'the standard deviation in norm': self.norm[1]})
        ZERO_OR_MORE.check(time=self.masking['time'], frequency=self.masking['frequency'])
        FRACTION.check(prob=self.masking['prob'])

    def found(self, record: dict[str, Any]) -> bool:
        """Whether the clip has sound; a video without a track, or a pack, is looked into."""
        if not super().found(record):
            return False
        if not self.optional:
            return True
        pack = self._pack_of(record)
        return probe_track(self.path(record)).has_audio if pack is None else pack.has(record)

    def frame_inds(self, frame_inds_VT: np.ndarray) -> np.ndarray:
        """Centres (V, T) of the segments, between the video's frames where they fall there."""
        if frame_inds_VT.shape[1] == 1 and (self.clip_len or self.input_format == NCTF):
            frame_inds_VT = frame_inds_VT.reshape(1, -1)  # segments are a single clip
        if self.input_format == NCTF:
            return (frame_inds_VT.min(1) + frame_inds_VT.max(1))[:, None] / 2
        return positions_at_own_rate(frame_inds_VT, self.clip_len)

    def frame_shape(self, record: dict[str, Any], frames_F: np.ndarray) -> tuple[int, int]:
        """Bands and steps: where audio comes first, the geometry is drawn, though of no effect."""
        return frames_F.shape[1:3]

    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Log-mel segments (F, M, L) in dB, centred on (fractional) frames of the video."""
        times = self._times(record)
        half = self.num_samples / 2 / self.sample_rate
        centres_F = times.at(np.asarray(frame_inds_F))
        begin, stop = centres_F.min() - half, centres_F.max() + half
        sound = self._sound(record, begin, stop)
        self._say_silence(record, begin, sound.present_N, times)
        if sound.cancelled:
            warnings.warn(cancelled_message(self.path(record)), stacklevel=2)  # once per file
        first_F = np.round((centres_F - half - begin) * self.sample_rate).astype(np.int64)
        samples = np.pad(sound.samples_N, (0, self.num_samples))  # a centre may be rounded up
        unique, inverse = np.unique(first_F, return_inverse=True)
        segments = np.stack([samples[x : x + self.num_samples] for x in unique])
        return log_mel(segments, self.sample_rate, **self.spectrogram)[inverse]

    def move(
        self, frames_F: np.ndarray, crop_4: np.ndarray, flip: bool, size: tuple[int, int]
    ) -> np.ndarray:
        """Mask, resize images to (height, width), normalise."""
        if self._masks and np.random.rand() < self.masking['prob']:
            frames_F = mask_bands(frames_F, int(self.masking['frequency']), axis=1)
            frames_F = mask_bands(frames_F, int(self.masking['time']), axis=2)
        images = torch.from_numpy(np.ascontiguousarray(frames_F))
        if self.input_format != NCTF:
            images = F.interpolate(images[None], size=size, mode='bilinear', antialias=True)[0]
        mean, std = self.norm
        return ((images - mean) / std).numpy()

    def pack(self, crops: list[np.ndarray], num_clips: int, clip_len: int) -> np.ndarray:
        """(C * V, channels, T, H, W), (C * V * T, channels, H, W) or (C * V, 1, L, M)."""
        images = np.concatenate(crops)
        if self.input_format == NCTF:
            return np.ascontiguousarray(images.transpose(0, 2, 1)[:, None])
        images = np.repeat(images[:, None], self.channels, axis=1)
        if self.input_format == NCHW:
            return images
        views = images.reshape(-1, clip_len, *images.shape[1:])
        return np.ascontiguousarray(views.swapaxes(1, 2))

    def missing(self, num_frames: int, size: tuple[int, int]) -> np.ndarray:
        """Zeros: the mean of all sound."""
        if self.input_format == NCTF:
            size = (self.spectrogram['num_mels'], self.num_samples // self.spectrogram['hop'] + 1)
        return np.zeros((num_frames, *size), dtype=np.float32)

    def problems(self, record: dict[str, Any]) -> list[str]:
        """What mmdistill check says of a clip: the share of it that has no sound."""
        share = 1 - self._sound(record, *self._ends(record)).present_N.mean()
        if share <= SHARE_WORTH_SAYING:
            return []
        return [f'{self.path(record)} has no sound for {share:.0%} of the clip']

    def notes(self, record: dict[str, Any]) -> list[str]:
        """What mmdistill check notes of a clip: that its channels cancel each other."""
        sound = self._sound(record, *self._ends(record))
        return [cancelled_message(self.path(record))] if sound.cancelled else []

    def _sound(self, record: dict[str, Any], begin: float, stop: float) -> Sound:
        pack = self._pack_of(record)
        if pack is not None:
            return pack.read(record, begin, stop, self.sample_rate)
        path = self.path(record)
        sound = read_sound(path, begin, stop, self.sample_rate)
        return sound._replace(cancelled=sound.cancelled or probe_track(path).cancelled)

    def _pack_of(self, record: dict[str, Any]) -> AudioPack | None:
        path = self.path(record)
        if not is_pack(path):
            return None
        if self._pack is None or self._pack.path != path:
            self._pack = AudioPack(path)
        return self._pack

    @property
    def _masks(self) -> bool:
        return self.masking['time'] > 0 or self.masking['frequency'] > 0

    def _say_silence(
        self, record: dict[str, Any], begin: float, present_N: np.ndarray, times: FrameTimes
    ) -> None:
        # What is before and after the clip need not be there.
        if record.get('start_frame') is None or record.get('stop_frame') is None:
            return
        moments = begin + np.arange(len(present_N)) / self.sample_rate
        first, stop = times.at(record['start_frame']), times.at(record['stop_frame'])
        inside = (moments >= first) & (moments < stop)
        share = 1 - present_N[inside].mean() if inside.any() else 0.0
        if share > SHARE_WORTH_SAYING:
            warnings.warn(
                f'{self.path(record)} has no sound for {share:.0%} of what is read of clip '
                f'{record["sample_id"]!r}; silence ({SILENCE_DB:.0f} dB) stands for it.',
                stacklevel=2,
            )

    def _ends(self, record: dict[str, Any]) -> tuple[float, float]:
        """The seconds at which the clip begins and ends."""
        times = self._times(record)
        return float(times.at(record['start_frame'])), float(times.at(record['stop_frame']))

    def _times(self, record: dict[str, Any]) -> FrameTimes:
        packed, path = self._pack_of(record), self.path(record)
        own = (lambda: None) if packed else (lambda: times_of_frames(path))
        times = times_of_clip(record, self.fps, own=own)
        if times is None:
            raise ValueError(
                f'{path} has no pictures that say how many frames there are per second: set fps '
                'on AudioModality, or let media name the video as rgb.'
            )
        return times
