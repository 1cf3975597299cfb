"""Log-mel spectrograms of sound, and the masks that augment them.

Shape legend: S = segments, N = samples, M = mel bands, L = steps (columns of a spectrogram).
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

# Power below this counts as silence: -100 dB.
FLOOR_POWER = 1e-10
SILENCE_DB = -100.0


def log_mel(
    sound_SN: np.ndarray,
    sample_rate: int,
    n_fft: int = 1024,
    window: int = 160,
    hop: int = 80,
    num_mels: int = 128,
) -> np.ndarray:
    """Power in mel bands over time, in decibel: (S, M, L) float32, L = N // hop + 1.

    As in Radevski et al., *Multimodal Distillation for Egocentric Action Recognition*, ICCV 2023
    (https://arxiv.org/abs/2307.07483): a Hann window of 160 samples, padded to an FFT of 1024,
    every 80 samples; column l is centred on sample l * hop, and the sound is mirrored at its ends.
    The mel bands cover 0 to half of `sample_rate`.

    Args:
        sound_SN: Samples in -1 to 1.
        sample_rate: Per second.
        n_fft: Length of the FFT in samples.
        window: Length of the window in samples.
        hop: Samples from one column to the next.
        num_mels: M.

    Raises:
        ValueError: A segment is too short to be mirrored, or the window longer than the FFT.
    """
    if window > n_fft or sound_SN.shape[-1] <= n_fft // 2:
        raise ValueError(
            f'A window of {window} samples needs n_fft >= {window} (it is {n_fft}), and a segment '
            f'more than {n_fft // 2} samples (it has {sound_SN.shape[-1]}).'
        )
    spectrum = torch.stft(
        torch.from_numpy(np.ascontiguousarray(sound_SN, dtype=np.float32)),
        n_fft,
        hop_length=hop,
        win_length=window,
        window=torch.hann_window(window),
        center=True,
        pad_mode='reflect',
        return_complex=True,
    )
    power = spectrum.real.square() + spectrum.imag.square()
    bands = _bank(sample_rate, n_fft, num_mels) @ power
    return (10 * torch.log10(bands.clamp(min=FLOOR_POWER))).numpy()


def mel_bank(sample_rate: int, n_fft: int, num_mels: int) -> np.ndarray:
    """Triangles, equally wide on the mel scale (HTK's formula), height 1: (M, n_fft // 2 + 1)."""
    highest = _mel(sample_rate / 2)
    corners = 700 * (10 ** (np.linspace(0, highest, num_mels + 2) / 2595) - 1)
    frequencies = np.linspace(0, sample_rate / 2, n_fft // 2 + 1)
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising = (frequencies - left) / (centre - left)
    falling = (right - frequencies) / (right - centre)
    return np.maximum(0, np.minimum(rising, falling))


def mask_bands(
    images_SML: np.ndarray, widest: int, axis: int, value: float = SILENCE_DB
) -> np.ndarray:
    """Blank one stretch of random place and width in each segment, in a copy.

    Park et al., *SpecAugment*, 2019 (https://arxiv.org/abs/1904.08779). Drawn from numpy's global
    generator, like all augmentation of the pipelines.

    Args:
        widest: A stretch has 0 to so many bands or columns.
        axis: 1 masks frequencies, 2 times.
        value: What stands there instead.
    """
    masked = images_SML.copy()
    length = images_SML.shape[axis]
    for image in masked:
        width = min(int(np.random.randint(0, widest + 1)), length)
        start = int(np.random.randint(0, length - width + 1))
        np.moveaxis(image, axis - 1, 0)[start : start + width] = value
    return masked


@lru_cache(maxsize=8)
def _bank(sample_rate: int, n_fft: int, num_mels: int) -> Tensor:
    return torch.from_numpy(mel_bank(sample_rate, n_fft, num_mels).astype(np.float32))


def _mel(hertz: float) -> float:
    return 2595 * np.log10(1 + hertz / 700)
