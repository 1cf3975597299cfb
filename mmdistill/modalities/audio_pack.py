"""The sound of many videos in one HDF5 file, as the paper's authors publish it.

A dataset per video, `<video>`: the samples of its whole track, one channel, 24,000 per second, from
the first picture on. https://github.com/gorjanradevski/multimodal-distillation,
`src/modelling/dataset_audio.py`

Shape legend: N = samples.
"""

from typing import Any

import h5py
import numpy as np

from ..ranges import SAMPLE_RATE
from .audio_track import Sound, resample
from .hdf5_file import HDF5File

# Samples per second, unless a dataset has an attribute `sample_rate`.
RATE = 24_000


class AudioPack(HDF5File):
    """The samples of videos in one file."""

    def has(self, record: dict[str, Any]) -> bool:
        return isinstance(self.find(record['video_id']), h5py.Dataset)

    def read(self, record: dict[str, Any], start: float, stop: float, sample_rate: int) -> Sound:
        """The sound from `start` to `stop` seconds of the video, silence where there is none.

        Raises:
            KeyError: The file does not know the video.
            ValueError: Its dataset is not a row of finite samples, or its rate is none.
        """
        samples = self._samples(record)
        rate = samples.attrs.get('sample_rate', RATE)
        SAMPLE_RATE.check(**{f'{self.path}, {samples.name}: sample_rate': rate})
        first, count = round(start * rate), round((stop - start) * rate)
        low, high = (int(np.clip(x, 0, len(samples))) for x in (first, first + count))
        sound, present = np.zeros(count, np.float32), np.zeros(count, bool)
        sound[low - first : high - first] = _as_float(samples[low:high])
        if not np.isfinite(sound).all():
            raise ValueError(
                f'{self.path}, {samples.name}: samples from {start:.2f} to {stop:.2f} s are NaN or '
                'infinite; write the pack again.'
            )
        present[low - first : high - first] = True
        return _at_rate(
            Sound(sound, present), rate, sample_rate, round((stop - start) * sample_rate)
        )

    def _samples(self, record: dict[str, Any]) -> h5py.Dataset:
        if not self.has(record):
            known = list(self.file())
            raise KeyError(
                f'{self.path} has no sound of video {record["video_id"]!r}; its {len(known)} '
                f'entries are {", ".join(known[:3])}{", …" if len(known) > 3 else ""}. Correct the '
                'path in media, or set optional=True on AudioModality.'
            )
        samples = self.find(record['video_id'])
        if samples.ndim != 1 or samples.dtype.kind not in 'fi':
            raise ValueError(
                f'{self.path}, {samples.name}: expected a row of samples, whole numbers or '
                f'fractions of 1, got {samples.dtype} of shape {samples.shape}.'
            )
        return samples


def _as_float(samples: np.ndarray) -> np.ndarray:
    scale = np.iinfo(samples.dtype).max if samples.dtype.kind == 'i' else 1
    return (samples / scale).astype(np.float32)


def _at_rate(sound: Sound, rate: int, wanted: int, count: int) -> Sound:
    if rate == wanted:
        return sound
    samples = resample(sound.samples_N, rate, wanted)
    samples = np.pad(samples, (0, max(0, count - len(samples))))[:count]
    index = np.minimum(np.arange(count) * rate // wanted, len(sound.present_N) - 1)
    return Sound(samples, sound.present_N[index])
