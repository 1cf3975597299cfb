"""Sound from an HDF5 pack: the same segments as from a file, at its own rate."""

import pickle

import h5py
import numpy as np
import pytest

from mmdistill.modalities import AudioModality
from mmdistill.modalities.audio_pack import AudioPack

RATE, SECONDS, FPS = 24_000, 3.0, 10.0
FRAMES = np.array([4, 11, 25])


@pytest.fixture(scope='module')
def samples():
    time = np.arange(round(SECONDS * RATE)) / RATE
    return (0.4 * np.sin(2 * np.pi * 600 * time) * (time > 1)).astype(np.float32)


@pytest.fixture
def write(tmp_path):
    def make(samples, **attributes):
        with h5py.File(tmp_path / 'audio.hdf5', 'w') as file:
            file['P01_01'] = samples
            file['P01_01'].attrs.update(attributes)
        media = dict(audio=str(tmp_path / 'audio.hdf5'))
        return dict(
            sample_id='n', video_id='P01_01', start_frame=2, stop_frame=28, avg_fps=FPS, media=media
        )

    return make


def same(found, expected):
    """Alike where they can be heard; whole numbers are a little noisy elsewhere."""
    heard = expected > -20  # dB
    assert heard.mean() > 0.02
    np.testing.assert_allclose(found[heard], expected[heard], atol=0.5)
    assert (found[~heard] < -15).all()


def test_a_pack_sounds_as_a_file(write, write_sound, samples, tmp_path):
    path = write_sound(tmp_path / 'P01_01.wav', samples, RATE)
    record = write(samples)
    of_file = AudioModality().read(record | dict(media=dict(audio=str(path))), FRAMES)
    same(AudioModality().read(record, FRAMES), of_file)


def test_whole_numbers_and_another_rate(write, samples):
    expected = AudioModality().read(write(samples), FRAMES)
    whole = np.rint(samples * 32767).astype(np.int16)
    same(AudioModality().read(write(whole), FRAMES), expected)
    half = AudioModality().read(write(samples[::2], sample_rate=RATE // 2), FRAMES)
    loud = expected > 0  # the tone; its edge rings a little after resampling
    assert np.abs(half - expected)[loud].mean() < 1


def test_sound_shorter_than_the_clip(write, samples):
    record = write(samples[: 2 * RATE])
    with pytest.warns(UserWarning, match=r'audio\.hdf5 has no sound for \d+% of what is read'):
        AudioModality().read(record, FRAMES)
    [problem] = AudioModality().problems(record)
    assert 'has no sound for 31% of the clip' in problem  # 0.8 of 2.6 s


@pytest.mark.parametrize('rate', [RATE, 16_000, 32_000])
def test_what_has_sound_is_known_at_any_rate(write, samples, rate):
    """A second from 1.5 s on, of which the pack ends after a half."""
    record = write(samples[: 2 * RATE])
    sound = AudioPack(record['media']['audio']).read(record, 1.5, 2.5, rate)
    assert len(sound.samples_N) == len(sound.present_N) == rate
    assert sound.present_N[: rate // 2].all() and not sound.present_N[rate // 2 :].any()


def test_optional_and_in_a_worker(write, samples):
    record, modality = write(samples), AudioModality(optional=True)
    assert modality.available(record)
    assert not modality.available(record | dict(video_id='P01_02'))
    other = pickle.loads(pickle.dumps(modality))
    assert np.array_equal(other.read(record, FRAMES), modality.read(record, FRAMES))


class TestBadInput:
    def test_an_unknown_video(self, write, samples):
        with pytest.raises(KeyError, match="no sound of video 'P09'; its 1 entries are"):
            AudioModality().read(write(samples) | dict(video_id='P09'), FRAMES)

    def test_no_row_of_samples(self, write, samples):
        with pytest.raises(ValueError, match='expected a row of samples.* of shape'):
            AudioModality().read(write(samples.reshape(2, -1)), FRAMES)

    @pytest.mark.parametrize('value', [np.nan, np.inf])
    def test_samples_that_are_no_numbers(self, write, samples, value):
        samples = np.array(samples, np.float32)
        samples[RATE] = value
        record = write(samples)
        with pytest.raises(ValueError, match='are NaN or infinite; write the pack again'):
            AudioModality(fps=FPS, segment_seconds=0.5).read(record, np.array([FPS]))

    @pytest.mark.parametrize('rate', [0, -8000, 1.5, np.nan])
    def test_a_rate_that_is_none(self, write, samples, rate):
        record = write(samples, sample_rate=rate)
        with pytest.raises(ValueError, match='sample_rate must be a whole number from 1000'):
            AudioModality(fps=FPS, segment_seconds=0.5).read(record, np.array([FPS]))

    def test_no_frame_rate(self, write, samples):
        record = write(samples)
        del record['avg_fps']
        with pytest.raises(ValueError, match='how many frames there are per second: set fps'):
            AudioModality().read(record, FRAMES)
