"""The demo's sound: in the videos, at the right moments, and telling verbs and nouns apart."""

import cv2
import numpy as np
import pytest

from mmdistill.modalities.audio_track import probe_track, read_sound
from mmdistill.video import read_frames
from projects.demo.rendering.motion import VERBS, Track
from projects.demo.rendering.nouns import NOUNS
from projects.demo.rendering.parameters import DemoParameters
from projects.demo.rendering.scene import Request
from projects.demo.rendering.sound import RHYTHMS, TIMBRES, clip_sound, kitchen_hum
from projects.demo.rendering.video import add_sound, open_encoder

PARAMS = DemoParameters(sleeve_loudness=0.0)
RATE = PARAMS.sound_rate
FRAMES, STILL = 16, 3
CONTACT, END = 0.3, 0.8


def sound_of(verb: str, noun: str = 'mug', seed: int = 0, params=PARAMS) -> np.ndarray:
    track = Track(*[np.zeros(FRAMES)] * 4, (CONTACT, END))
    return clip_sound(Request(verb, noun, FRAMES, STILL, (seed,)), track, 0, params)


def loudness(sound: np.ndarray, begin: float, end: float) -> float:
    """Root mean square between two moments, in shares of the clip."""
    begin, end = (round(moment * (FRAMES - 1) / PARAMS.fps * RATE) for moment in (begin, end))
    return float(np.sqrt(np.mean(sound[begin:end] ** 2)))


def centre(sound: np.ndarray) -> float:
    """The frequency in the middle of the power, in Hz."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float((power * np.fft.rfftfreq(len(sound), 1 / RATE)).sum() / power.sum())


def test_every_class_has_a_sound():
    assert sorted(RHYTHMS) == sorted(VERBS) and sorted(TIMBRES) == sorted(NOUNS)


@pytest.mark.parametrize('seed', range(3))
def test_verbs_sound_when_something_happens(seed):
    sounds = {verb: sound_of(verb, seed=seed) for verb in VERBS}
    assert {len(sound) for sound in sounds.values()} == {round((FRAMES + STILL) / 10 * RATE)}
    for sound in sounds.values():
        assert loudness(sound, 0, CONTACT - 0.01) == 0
    assert not sounds['pretend'].any()
    assert loudness(sounds['put-down'], CONTACT, END - 0.01) == 0
    assert loudness(sounds['put-down'], END, END + 0.1) > 0.05
    at_contact = {verb: loudness(sound, CONTACT, CONTACT + 0.05) for verb, sound in sounds.items()}
    assert min(at_contact[verb] for verb in ('push', 'lift', 'touch', 'move-apart')) > 0.02
    moments = (0.36, 0.42), (0.5, 0.56), (0.72, 0.78)
    closer, apart = (
        [loudness(sounds[verb], *moment) for moment in moments]
        for verb in ('move-closer', 'move-apart')
    )
    assert closer[2] > 2 * closer[0] and apart[1] > 1.5 * apart[2]
    assert loudness(sounds['lift'], 0.6, END) < 0.1 * loudness(sounds['push'], 0.6, END)


def test_nouns_differ_in_timbre():
    centres = {
        noun: np.median([centre(sound_of('push', noun, seed)) for seed in range(9)])
        for noun in NOUNS
    }
    ordered = sorted(centres.values())
    assert ordered[0] < 600 and ordered[-1] > 5000
    assert min(np.diff(np.log(ordered))) > 0.05, centres


def test_the_same_clip_sounds_the_same_and_another_one_does_not():
    assert np.array_equal(sound_of('pull'), sound_of('pull'))
    assert not np.array_equal(sound_of('pull'), sound_of('pull', seed=1))


def test_the_hum_swells_and_is_another_one_in_each_video():
    hums = [kitchen_hum(10 * RATE, np.random.default_rng(seed), PARAMS) for seed in (0, 0, 1)]
    assert np.array_equal(hums[0], hums[1]) and not np.array_equal(hums[0], hums[2])
    level = [np.sqrt(np.mean(part**2)) for part in np.array_split(hums[0], 50)]
    assert max(level) > 2 * min(level) > 0
    low, high = PARAMS.hum_loudness
    assert 0.3 * low < np.sqrt(np.mean(hums[0] ** 2)) < 1.5 * high


def test_sound_beyond_the_clip_is_cut_off():
    """The last knock rings longer than the clip."""
    track = Track(*[np.zeros(FRAMES)] * 4, (0.9, 0.99))
    sound = clip_sound(Request('put-down', 'pan', FRAMES, 0, (0,)), track, 0, PARAMS)
    assert len(sound) == round(FRAMES / 10 * RATE) and np.abs(sound[-100:]).max() > 0


def test_clips_follow_each_other_without_a_gap():
    params = DemoParameters(fps=29.97)
    track = Track(*[np.zeros(FRAMES)] * 4, (CONTACT, END))
    clip = Request('push', 'mug', FRAMES, STILL, (0,))
    length = FRAMES + STILL
    parts = [clip_sound(clip, track, first * length, params) for first in range(7)]
    assert sum(map(len, parts)) == round(7 * length / 29.97 * RATE)


@pytest.fixture
def silent(tmp_path):
    path = tmp_path / 'silent.mp4'
    encoder = open_encoder(path, 10.0, (64, 48))
    noise = np.random.default_rng(0).integers(0, 256, (30, 48, 64, 3), dtype=np.uint8)
    for frame in noise:
        encoder.write(cv2.GaussianBlur(frame, (0, 0), 4))
    encoder.release()
    return path


def test_the_pictures_stay_as_they_are_and_the_sound_is_on_time(silent, tmp_path):
    before = [frame for _, frame in read_frames(silent)]
    clicks = np.zeros(3 * RATE)
    clicks[RATE : RATE + 300] = clicks[2 * RATE : 2 * RATE + 300] = 0.8
    path = tmp_path / 'clip.MP4'
    add_sound(silent, clicks, RATE, path)
    after = [frame for _, frame in read_frames(path)]
    assert len(after) == 30 and all(map(np.array_equal, before, after))
    assert not silent.exists()
    assert probe_track(path)[:2] == (True, 10.0)
    sound = read_sound(path, 0, 3, RATE)
    assert sound.present_N.mean() > 0.99
    loud = np.flatnonzero(np.abs(sound.samples_N) > 0.3)
    assert abs(loud[0] - RATE) < 0.005 * RATE
    assert abs(loud[loud > 1.5 * RATE][0] - 2 * RATE) < 0.005 * RATE
