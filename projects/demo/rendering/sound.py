"""What the demo's clips sound like: verbs differ in rhythm, nouns in timbre, kitchens in their hum.

An object knocks when the hand reaches it and rubs on the table while it is moved, at the moments
at which the picture shows it. Who only pretends moves nothing, so nothing sounds but the sleeve.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .motion import Track
from .parameters import DemoParameters
from .scene import Request

CONTACT, END = 0, 1  # moments of a clip: the hand arrives, the action is over
HUM_HERTZ = 50.0
BURST = 0.015  # seconds in which the noise of a knock fades


@dataclass(frozen=True)
class Timbre:
    """How a noun sounds: pitch in Hz, partials as multiples of it, seconds of ringing, the share
    of noise in a knock, and around how many Hz it rubs."""

    pitch: float
    partials: tuple[float, ...]
    ring: float
    noise: float
    rub: float


@dataclass(frozen=True)
class Rhythm:
    """How a verb sounds: knocks (moment, seconds after it, loudness), loudness of rubbing at both
    moments, for which share of the time between, and how often per second it sticks."""

    knocks: tuple[tuple[int, float, float], ...] = ()
    rubbing: tuple[float, float] = (0.0, 0.0)
    share: float = 1.0
    stick: float = 0.0


TIMBRES: dict[str, Timbre] = {
    'plate': Timbre(1900, (1, 2.71, 5.15), 0.22, 0.1, 4200),
    'sponge': Timbre(140, (1,), 0.03, 0.9, 700),
    'mug': Timbre(850, (1, 2.32, 4.25), 0.10, 0.2, 2200),
    'carrot': Timbre(520, (1, 1.5), 0.03, 0.6, 1300),
    'pan': Timbre(330, (1, 1.83, 3.14, 4.66, 6.3), 0.45, 0.1, 3000),
    'bottle': Timbre(620, (1, 2.04), 0.16, 0.3, 1700),
    'cookie': Timbre(2600, (1, 1.4), 0.015, 0.9, 6500),
    'banana': Timbre(210, (1, 1.9), 0.05, 0.4, 450),
}
RHYTHMS: dict[str, Rhythm] = {
    'push': Rhythm(((CONTACT, 0, 0.7),), (0.7, 0.7)),
    'pull': Rhythm(((CONTACT, 0, 0.4),), (0.8, 0.8), stick=9.0),
    'lift': Rhythm(((CONTACT, 0, 1.0), (CONTACT, 0.12, 0.5)), (0.8, 0.0), share=0.25),
    'put-down': Rhythm(((END, 0, 1.2), (END, 0.09, 0.5))),
    'move-closer': Rhythm(((END, 0, 0.7),), (0.1, 0.9)),
    'move-apart': Rhythm(((CONTACT, 0, 0.7), (CONTACT, 0.16, 0.6)), (0.9, 0.1)),
    'touch': Rhythm(((CONTACT, 0, 0.5), (CONTACT, 0.17, 0.4), (CONTACT, 0.34, 0.3))),
    'pretend': Rhythm(),
}


def clip_sound(clip: Request, track: Track, first: int, params: DemoParameters) -> NDArray:
    """What happens in one clip and the still frames after it, (N,) samples.

    Args:
        first: The clip's first frame in the video, counted from 0.
    """
    # A stream of its own, beside those of scene and sensor: no pixel depends on the sound.
    rng = np.random.default_rng((*clip.entropy, 5))
    rate, stop = params.sound_rate, first + clip.frames + clip.still
    sound = np.zeros(round(stop / params.fps * rate) - round(first / params.fps * rate))
    moments = (share * (clip.frames - 1) / params.fps for share in track.moments)
    begin, end = (round(moment * rate) for moment in moments)
    timbre, rhythm = _individual(TIMBRES[clip.noun], rng), RHYTHMS[clip.verb]
    loudness = rng.uniform(*params.sound_loudness)
    for moment, delay, level in rhythm.knocks:
        start = (begin, end)[moment] + round(delay * rate * rng.uniform(0.85, 1.15))
        _add(sound, start, loudness * level * rng.uniform(0.8, 1.2) * _knock(timbre, rate, rng))
    stop_rubbing = begin + round((end - begin) * rhythm.share)
    if max(rhythm.rubbing) > 0:
        _add(sound, begin, loudness * _rubbing(timbre, rhythm, stop_rubbing - begin, rate, rng))
    sleeve = _band_noise(end, 500, rate, rng) * np.hanning(end)
    _add(sound, 0, params.sleeve_loudness * rng.uniform(0.3, 1) * sleeve)
    return sound


def kitchen_hum(num_samples: int, rng: Generator, params: DemoParameters) -> NDArray:
    """The hum of a fridge and the noise of a room, which swell and fade: (N,) samples."""
    # Seconds that repeat without a seam, as whatever an inverse FFT gives.
    size = 1 << 16
    hertz = np.fft.rfftfreq(size, 1 / params.sound_rate)
    spectrum = _band(hertz, rng.uniform(300, 1500)) * _white(len(hertz), rng) * rng.uniform(0.5, 2)
    for k in range(1, 5):
        spectrum[np.abs(hertz - k * HUM_HERTZ).argmin()] += 300 * rng.uniform(0.2, 1) / k
    loop = np.fft.irfft(spectrum, size)
    time = np.arange(num_samples) / params.sound_rate
    swell = 1 + 0.6 * np.sin(2 * np.pi * rng.uniform(0.05, 0.3) * time + rng.uniform(0, 6))
    loudness = rng.uniform(*params.hum_loudness) / loop.std()
    return loudness * swell * np.resize(loop, num_samples)


def _individual(timbre: Timbre, rng: Generator) -> Timbre:
    """One object of a class: a little higher or lower, more or less muffled."""
    return Timbre(
        timbre.pitch * rng.uniform(0.88, 1.14),
        timbre.partials,
        timbre.ring * rng.uniform(0.7, 1.4),
        timbre.noise,
        timbre.rub * rng.uniform(0.8, 1.25),
    )


def _knock(timbre: Timbre, rate: int, rng: Generator) -> NDArray:
    """Damped partials after a burst of noise; about 1 high."""
    count = round((3 * timbre.ring + 4 * BURST) * rate)
    time = np.arange(count) / rate
    ringing = sum(
        np.exp(-time * k / timbre.ring) * np.sin(2 * np.pi * timbre.pitch * ratio * time) / k
        for k, ratio in enumerate(timbre.partials, start=1)
        if timbre.pitch * ratio < rate / 2
    )
    knock = (1 - timbre.noise) * ringing / 1.5
    burst = time[: round(4 * BURST * rate)]
    noise = _band_noise(len(burst), timbre.rub, rate, rng) * np.exp(-burst / BURST)
    knock[: len(burst)] += (0.3 + timbre.noise) * 0.5 * noise
    return knock


def _rubbing(timbre: Timbre, rhythm: Rhythm, count: int, rate: int, rng: Generator) -> NDArray:
    """Noise around the timbre's frequency, whose loudness goes from one moment to the other."""
    phase = np.linspace(0, 1, count)
    level = rhythm.rubbing[0] * (1 - phase) + rhythm.rubbing[1] * phase
    level *= np.minimum(1, np.minimum(phase, 1 - phase) * 20)
    if rhythm.stick:
        time = np.arange(count) / rate
        level *= np.sin(np.pi * rhythm.stick * rng.uniform(0.8, 1.2) * time) ** 4
    return 0.25 * level * _band_noise(count, timbre.rub, rate, rng)


def _band_noise(count: int, centre: float, rate: int, rng: Generator) -> NDArray:
    """Noise an octave wide around `centre` Hz, of standard deviation 1: (N,) samples."""
    if count < 2:
        return np.zeros(count)
    # Longer noise repeats, which nobody hears; a power of two makes the FFT quick.
    size = min(1 << (count - 1).bit_length(), 1 << 14)
    hertz = np.fft.rfftfreq(size, 1 / rate)
    noise = np.fft.irfft(_band(hertz, centre) * _white(len(hertz), rng), size)
    return np.resize(noise / noise.std(), count)


def _band(hertz: NDArray, centre: float) -> NDArray:
    return np.exp(-0.5 * (np.log2(np.maximum(hertz, 1) / centre) / 0.5) ** 2)


def _white(count: int, rng: Generator) -> NDArray:
    return rng.standard_normal(2 * count).view(complex)


def _add(sound: NDArray, start: int, part: NDArray) -> None:
    """Mix a sound in from a sample on, in place; what is beyond the end is cut off."""
    part = part[: max(0, len(sound) - start)]
    sound[start : start + len(part)] += part
