"""Sound extraction: the modality hears the same in the file as in the video."""

from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mmdistill.extraction import sound
from mmdistill.extraction.jobs import run_jobs
from mmdistill.extraction.manifest import entries_of
from mmdistill.extraction.sound import (
    SoundSettings,
    check_earlier_sound,
    make_sound_job,
    set_up_sound,
)
from mmdistill.modalities import AudioModality
from mmdistill.modalities.audio_track import probe_track, read_sound

RATE, FPS, SECONDS = 44100, 10, 8
SETTINGS = SoundSettings()


@pytest.fixture(scope='module')
def pictures(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('video') / 'silent.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), FPS, (64, 48))
    for number in range(FPS * SECONDS):
        writer.write(np.full((48, 64, 3), 3 * number, np.uint8))
    writer.release()
    return path


def chirp(seconds: float) -> np.ndarray:
    """A tone that rises and swells, so that every moment sounds otherwise."""
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.3 + 0.2 * np.sin(3 * time)) * np.sin(2 * np.pi * (300 + 150 * time) * time)


@pytest.fixture(scope='module')
def video(pictures, write_sound) -> Path:
    return write_sound(pictures.with_name('clip.mp4'), chirp(SECONDS), RATE, pictures)


def extract(video: Path, folder: Path):
    job = make_sound_job(video.stem, video, folder / f'{video.stem}.flac')
    return job, run_jobs(partial(set_up_sound, SETTINGS), [job], workers=0)


def heard(path: Path, inds: list[int]) -> np.ndarray:
    record = dict(
        sample_id='clip', start_frame=0, stop_frame=FPS * SECONDS, media=dict(audio=str(path))
    )
    return AudioModality().read(record, np.array(inds))


@pytest.mark.parametrize('chunk', [120, 3])
def test_the_modality_reads_the_same_from_the_file(video, tmp_path, monkeypatch, chunk):
    """Also across the seams of what is decoded at once."""
    monkeypatch.setattr(sound, 'CHUNK', chunk)
    job, report = extract(video, tmp_path)
    assert not report.failures and not job.partial.exists()
    inds = [12, 30, 31, 60, 66]
    difference = np.abs(heard(job.result, inds) - heard(video, inds))
    # Quiet bands hold nothing but rounding: to 16 bits, and of moments to samples of 44.1 kHz.
    loud = heard(video, inds) > 20
    assert loud.mean() > 0.03 and difference[loud].max() < 0.5
    assert job.result.stat().st_size < SECONDS * 24000 * 2


def test_samples_are_those_of_the_track_to_the_last_bit(video, tmp_path):
    job, _ = extract(video, tmp_path)
    wanted = read_sound(video, 0, SECONDS, 24000).samples_N
    for start, stop in ((0, SECONDS), (2.71, 4.2), (7, 7.9)):
        found = read_sound(job.result, start, stop, 24000).samples_N
        first = round(start * 24000)
        assert np.abs(found - wanted[first : first + len(found)]).max() < 0.6 / 32768
    entry = entries_of([job])['clip']
    assert (entry['seconds'], entry['frames']) == (pytest.approx(SECONDS, abs=0.1), job.size)
    with av.open(str(job.result)) as container:
        assert container.streams.audio[0].duration == entry['samples']
        assert abs(entry['samples'] - SECONDS * 24000) < 2400


def test_the_file_knows_the_frame_rate_of_its_video(video, tmp_path):
    job, _ = extract(video, tmp_path)
    assert probe_track(job.result).frames_per_second == FPS


def test_sound_that_ends_early_is_no_silence(pictures, write_sound, tmp_path):
    video = write_sound(tmp_path / 'short.mp4', chirp(3), RATE, pictures)
    job, _ = extract(video, tmp_path / 'out')
    assert entries_of([job])['short']['samples'] == pytest.approx(3 * 24000, abs=2400)
    record = dict(sample_id='clip', start_frame=20, stop_frame=50, media=dict(audio=job.result))
    [problem] = AudioModality().problems(record)
    assert 'no sound for' in problem and '% of the clip' in problem


def test_no_track(pictures, tmp_path):
    assert make_sound_job('silent', pictures, tmp_path / 'silent.flac') is None


def test_damaged_videos_are_named(video, tmp_path):
    cut, none = tmp_path / 'cut.mp4', tmp_path / 'none.mp4'
    cut.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    none.write_bytes(b'no video')
    jobs = [make_sound_job(path.stem, path, tmp_path / f'{path.stem}.flac') for path in (cut, none)]
    report = run_jobs(partial(set_up_sound, SETTINGS), jobs, workers=0)
    assert sorted(report.failures) == ['cut', 'none'] and report.complete
    assert 'cut.mp4' in report.failures['cut'] and 'cannot be opened' in report.failures['none']
    assert not list(tmp_path.glob('*.flac')) and not list(tmp_path.glob('.*.partial'))


def test_sound_of_other_settings_is_refused(video, tmp_path):
    job, _ = extract(video, tmp_path)
    check_earlier_sound(SETTINGS, [job])
    with pytest.raises(ValueError, match='sample_rate is 24000 there, 16000 now'):
        check_earlier_sound(SoundSettings(16000), [job])
    job.manifest.unlink()
    with pytest.raises(ValueError, match='unknown settings'):
        check_earlier_sound(SETTINGS, [job])


def test_bad_rate():
    with pytest.raises(ValueError, match='1000 to 192000'):
        SoundSettings(24)
