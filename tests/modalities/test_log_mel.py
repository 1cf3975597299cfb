"""Log-mel against scipy's STFT and a filter bank written by hand; masks."""

import numpy as np
import pytest
import scipy.signal

from mmdistill.modalities.log_mel import SILENCE_DB, log_mel, mask_bands, mel_bank

RATE = 24000


def reference(sound: np.ndarray, n_fft: int, window: int, hop: int, num_mels: int) -> np.ndarray:
    """The same by scipy and loops."""
    taps = np.zeros(n_fft)
    first = (n_fft - window) // 2
    taps[first : first + window] = scipy.signal.get_window('hann', window)  # periodic
    mirrored = np.pad(sound, n_fft // 2, mode='reflect')
    frequencies, _, spectrum = scipy.signal.stft(
        mirrored, RATE, taps, n_fft, n_fft - hop, boundary=None, padded=False, scaling='spectrum'
    )
    power = np.abs(spectrum * taps.sum()) ** 2  # scipy divides by the window's sum

    def to_mel(hertz):
        return 1127.0 * np.log(1 + hertz / 700)

    corners = [
        700 * (np.exp(mel / 1127.0) - 1) for mel in np.linspace(0, to_mel(RATE / 2), num_mels + 2)
    ]
    bands = np.zeros((num_mels, power.shape[1]))
    for k in range(num_mels):
        left, centre, right = corners[k : k + 3]
        for i, hertz in enumerate(frequencies):
            if left < hertz < right:
                rises = (hertz - left) / (centre - left)
                falls = (right - hertz) / (right - centre)
                bands[k] += min(rises, falls) * power[i]
    return 10 * np.log10(np.maximum(bands, 1e-10))


@pytest.mark.parametrize('sizes', [(1024, 160, 80, 128), (512, 400, 160, 40)])
def test_it_is_what_scipy_says(sizes):
    rng = np.random.default_rng(0)
    time = np.arange(6000) / RATE
    sound = 0.5 * np.sin(2 * np.pi * 440 * time) + 0.1 * rng.standard_normal(len(time))
    n_fft, window, hop, num_mels = sizes
    ours = log_mel(np.stack([sound, 0 * sound]), RATE, n_fft, window, hop, num_mels)
    expected = reference(sound, *sizes)
    assert ours.dtype == np.float32 and ours.shape == (2, num_mels, 6000 // hop + 1)
    # A narrow band at low frequencies may hold no bin at all.
    assert np.abs(ours[0] - expected).max() < 0.02
    assert (ours[1] == SILENCE_DB).all()


def test_sizes_of_the_paper():
    assert log_mel(np.zeros((1, round(1.116 * RATE))), RATE).shape == (1, 128, 335)


def test_a_tone_is_in_its_band_and_at_its_time():
    time = np.arange(24000) / RATE
    sound = np.sin(2 * np.pi * 3000 * time) * (time > 0.5)
    image = log_mel(sound[None], RATE)[0]
    band = mel_bank(RATE, 1024, 128)[:, round(3000 * 1024 / RATE)].argmax()
    assert image[:, 250].argmax() == band
    assert image[band, 140] == SILENCE_DB and image[band, 160] > 20


@pytest.mark.parametrize(('length', 'window'), [(512, 160), (6000, 2000)])
def test_impossible_sizes(length, window):
    with pytest.raises(ValueError, match='needs n_fft >='):
        log_mel(np.zeros((1, length)), RATE, window=window)


@pytest.mark.parametrize('axis', [1, 2])
def test_masks(axis):
    np.random.seed(3)
    images = np.ones((200, 20, 30), np.float32)
    masked = mask_bands(images, 8, axis)
    assert (images == 1).all() and set(np.unique(masked)) == {SILENCE_DB, 1}
    blank = (masked == SILENCE_DB).all(axis=3 - axis)
    assert (blank == (masked == SILENCE_DB).any(axis=3 - axis)).all()
    assert set(blank.sum(1)) == set(range(9))
    for row in blank[blank.any(1)]:
        places = np.flatnonzero(row)
        assert len(places) == places[-1] - places[0] + 1
    assert blank[:, 0].any() and blank[:, -1].any()
    np.random.seed(3)
    assert (mask_bands(images, 8, axis) == masked).all()
