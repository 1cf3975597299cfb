"""The sound of the right moment, packed for each kind of recognizer; bad files are named."""

import re
import warnings
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mmdistill.datasets.transforms import LoadModalities
from mmdistill.modalities import AudioModality
from mmdistill.modalities.audio_track import probe_track, read_sound, resample
from mmdistill.modalities.log_mel import SILENCE_DB, mel_bank

RATE, FPS, NUM_FRAMES = 44100, 10, 60
BEEP = (3.0, 3.5)  # seconds, of 2000 Hz
SIZE = (56, 64)


@pytest.fixture(scope='module')
def silent_video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('video') / 'silent.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), FPS, (64, 48))
    for number in range(NUM_FRAMES):
        writer.write(np.full((48, 64, 3), 4 * number, np.uint8))
    writer.release()
    return path


def beep(seconds: float) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return 0.5 * np.sin(2 * np.pi * 2000 * time) * ((time >= BEEP[0]) & (time < BEEP[1]))


@pytest.fixture(scope='module')
def video(silent_video, write_sound):
    return write_sound(silent_video.with_name('clip.mp4'), beep(6.0), RATE, silent_video)


def clip(path: Path, start: int = 0, stop: int = NUM_FRAMES, **more) -> dict:
    return dict(
        sample_id='clip',
        start_frame=start,
        stop_frame=stop,
        media=dict(audio=str(path)),
        **more,
    )


def loudness(segments: np.ndarray) -> np.ndarray:
    """Of 2000 Hz in the middle of each segment, dB."""
    band = mel_bank(24000, 1024, 128)[:, round(2000 * 1024 / 24000)].argmax()
    middle = segments.shape[2] // 2
    return segments[:, band, middle - 3 : middle + 4].mean(1)


def test_segments_are_centred_on_their_frames(video):
    inds = np.array([28, 31, 34, 36, 31])
    segments = AudioModality().read(clip(video), inds)
    assert segments.shape == (5, 128, 335) and segments.dtype == np.float32
    loud = loudness(segments)
    assert (loud[[1, 2, 4]] > 20).all() and (loud[[0, 3]] < 0).all()
    assert np.array_equal(segments[1], segments[4])


def test_edges_of_the_beep_in_the_sound(video):
    """To a few milliseconds, whether decoded from the beginning or after a seek."""
    for start in (0.0, 2.7):
        sound = read_sound(video, start, 4.0, 24000)
        assert len(sound.samples_N) == round((4.0 - start) * 24000) and sound.present_N.all()
        loud = np.flatnonzero(np.abs(sound.samples_N) > 0.2) / 24000 + start
        assert abs(loud[0] - BEEP[0]) < 0.005 and abs(loud[-1] - BEEP[1]) < 0.005


def test_resampling_keeps_time_and_tone():
    time = np.arange(44100) / 44100
    tone = np.sin(2 * np.pi * 440 * time).astype(np.float32)
    result = resample(tone, 44100, 24000)
    assert abs(len(result) - 24000) <= 1
    expected = np.sin(2 * np.pi * 440 * np.arange(24000) / 24000)
    assert np.abs(result[500:-500] - expected[500 : len(result) - 500]).max() < 0.01


def test_silence_before_the_video(video):
    segments = AudioModality().read(clip(video), np.array([0]))
    assert (segments[0, :, :150] == SILENCE_DB).all()


@pytest.mark.parametrize(
    ('settings', 'shape'),
    [
        (dict(), (2, 3, 4, *SIZE)),
        (dict(channels=1, clip_len=2), (2, 1, 2, *SIZE)),
        (dict(input_format='NCHW', channels=1), (8, 1, *SIZE)),
        (dict(input_format='NCTF'), (2, 1, 335, 128)),
        (dict(size=(32, 32)), (2, 3, 4, 32, 32)),
    ],
)
@pytest.mark.parametrize('optional', [False, True])
def test_layouts(video, silent_video, settings, shape, optional):
    """Of a clip with sound, and of one without: zeros of the same shape, marked."""
    path = silent_video if optional else video
    audio = dict(type='mmdistill.AudioModality', optional=optional, **settings)
    record = clip(path, frame_inds=np.arange(26, 34), num_clips=2, clip_len=4)
    record['media']['rgb'] = str(path)
    load = LoadModalities(
        dict(rgb=dict(type='mmdistill.RGBModality'), audio=audio),
        geometry=[dict(type='Resize', scale=SIZE[::-1], keep_ratio=False)],
    )
    result = load(record)
    assert result['audio'].shape == shape and result['audio'].dtype == np.float32
    assert result['available'] == dict(rgb=True, audio=not optional)
    assert (result['audio'] == 0).all() == optional
    if not optional and shape[1] == 3:
        assert np.array_equal(result['audio'][:, 0], result['audio'][:, 2])


def test_one_segment_is_centred_on_the_clip():
    modality = AudioModality(input_format='NCTF')
    assert modality.frame_inds(np.array([[10, 12, 14, 17], [0, 1, 2, 2]])).tolist() == [[13.5], [1]]
    # Segments of a 2D recognizer are one clip.
    assert modality.frame_inds(np.array([[4], [8], [12]])).tolist() == [[8]]
    assert AudioModality(clip_len=3).frame_inds(np.array([[4], [9]])).tolist() == [[4, 6.5, 9]]


def test_normalised(video):
    plain = AudioModality(norm=(0, 1), input_format='NCTF')
    segments = plain.read(clip(video), np.array([30]))
    moved = AudioModality(norm=(-30, 15), input_format='NCTF').move(segments, None, True, SIZE)
    np.testing.assert_allclose(moved, (segments + 30) / 15, rtol=1e-6)


def test_masks_follow_the_seed_and_are_for_training(video):
    segments = AudioModality().read(clip(video), np.array([30, 31]))
    masking = dict(time=100, frequency=40, prob=1.0)
    training = AudioModality(masking=masking, input_format='NCTF', norm=(0, 1))
    results = []
    for seed in (1, 1, 2):
        np.random.seed(seed)
        results.append(training.move(segments, None, False, SIZE))
    assert np.array_equal(results[0], results[1]) and not np.array_equal(results[0], results[2])
    plain = AudioModality(input_format='NCTF', norm=(0, 1)).move(segments, None, False, SIZE)
    assert np.array_equal(plain, segments)


def test_sound_shorter_than_the_clip(silent_video, write_sound, tmp_path):
    path = write_sound(tmp_path / 'short.mp4', beep(3.2), RATE, silent_video)
    modality = AudioModality()
    with pytest.warns(UserWarning, match=r"short\.mp4 has no sound for \d+% of what .* 'clip'"):
        segments = modality.read(clip(path, 20, 50), np.array([22, 31, 48]))
    assert (loudness(segments)[2] == SILENCE_DB) and loudness(segments)[1] > 20
    [problem] = modality.problems(clip(path, 20, 50))
    assert re.search(r'has no sound for (59|60|61|58)% of the clip', problem)


def test_sound_clips_say_nothing(video):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        AudioModality().read(clip(video), np.array([0, 59]))
    assert AudioModality().problems(clip(video)) == []


def test_no_track(silent_video):
    record = clip(silent_video)
    with pytest.raises(ValueError, match=r'silent\.mp4 has no audio track: set optional=True'):
        AudioModality().read(record, np.array([3]))
    assert not AudioModality(optional=True).available(record)
    assert not probe_track(silent_video).has_audio


def test_not_a_video(tmp_path):
    path = tmp_path / 'cut.mp4'
    path.write_bytes(b'no video')
    with pytest.raises(ValueError, match=rf'^{re.escape(str(path))} cannot be opened'):
        AudioModality().read(clip(path), np.array([3]))


def test_truncated_video(video, tmp_path):
    """Its index comes first and promises all of it."""
    path = tmp_path / 'cut.mp4'
    path.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    with pytest.raises(ValueError, match=r'cut\.mp4(: the audio track cannot| is cut short: its)'):
        AudioModality().read(clip(path), np.array([58]))


def test_frame_rate_of_a_sound_file(write_sound, tmp_path):
    path = write_sound(tmp_path / 'sound.wav', beep(6.0), RATE)
    with pytest.raises(ValueError, match=r'sound\.wav has no pictures .*: set fps'):
        AudioModality().read(clip(path), np.array([3]))
    loud = loudness(AudioModality().read(clip(path, avg_fps=20.0), np.array([50, 64])))
    assert loud[0] < 0 < loud[1]


@pytest.mark.parametrize(
    'settings', [dict(input_format='NTCHW'), dict(channels=2), dict(masking=dict(width=3))]
)
def test_wrong_arguments(settings):
    with pytest.raises(ValueError, match='AudioModality expects input_format'):
        AudioModality(**settings)


def test_names_that_are_no_protocols(video, tmp_path, monkeypatch):
    """FFmpeg takes what stands before a colon for a protocol."""
    monkeypatch.chdir(tmp_path)
    Path('part:1.mp4').write_bytes(video.read_bytes())
    np.testing.assert_array_equal(
        read_sound(Path('part:1.mp4'), 2.5, 4.0, 24000).samples_N,
        read_sound(video, 2.5, 4.0, 24000).samples_N,
    )


def test_time_stamps_rounded_to_milliseconds_leave_no_gaps(video, tmp_path):
    """Matroska has no finer ones; a packet of 1,024 samples takes 23.2 ms."""
    copy = tmp_path / 'clip.mkv'
    with av.open(str(video)) as source, av.open(str(copy), 'w') as out:
        streams = [out.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                out.mux(packet)
    sound = read_sound(copy, 1.0, 5.0, 24000)
    assert sound.present_N.all()
    beep_N = sound.samples_N[round(2.1 * 24000) : round(2.4 * 24000)]
    spectrum = np.square(np.abs(np.fft.rfft(beep_N * np.hanning(len(beep_N)))))
    peak = spectrum.argmax()
    assert spectrum[peak - 20 : peak + 21].sum() > 0.999 * spectrum.sum()


def test_of_several_tracks_the_default_one_is_read(tmp_path):
    """The first is silent."""
    path = tmp_path / 'two.mkv'
    with av.open(str(path), 'w') as out:
        tracks = [out.add_stream('pcm_s16le', rate=24000, layout='mono') for _ in range(2)]
        tracks[0].disposition = av.stream.Disposition(0)
        tracks[1].disposition = av.stream.Disposition.default
        for track, level in zip(tracks, (0, 9000), strict=True):
            frame = av.AudioFrame.from_ndarray(
                np.full((1, 24000), level, np.int16), format='s16', layout='mono'
            )
            frame.sample_rate, frame.pts = 24000, 0
            out.mux([*track.encode(frame), *track.encode(None)])
    assert read_sound(path, 0, 1, 24000).samples_N.mean() > 0.2
