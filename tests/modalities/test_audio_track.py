"""Two channels that cancel each other when they are mixed into one are noticed."""

import av
import numpy as np
import pytest

from mmdistill.modalities import AudioModality
from mmdistill.modalities.audio_track import read_sound

RATE = 16000
SECONDS = 3
TONE = 0.3 * np.sin(2 * np.pi * 440 * np.arange(SECONDS * RATE) / RATE)
OTHER = np.random.default_rng(0).normal(0, 0.2, SECONDS * RATE).clip(-1, 1)


def write(path, *channels, codec='pcm_s16le'):
    """A sound file of these channels."""
    layout = {1: 'mono', 2: 'stereo', 6: '5.1'}[len(channels)]
    samples = np.rint(np.stack(channels) * 32767).astype(np.int16)
    with av.open(str(path), 'w') as out:
        stream = out.add_stream(codec, rate=RATE, layout=layout)
        for first in range(0, samples.shape[1], 1024):
            part = np.ascontiguousarray(samples[:, first : first + 1024].T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, format='s16', layout=layout)
            frame.sample_rate, frame.pts = RATE, first
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ('channels', 'cancel'),
    [
        ([TONE, -TONE], True),
        ([TONE, -0.9 * TONE], True),
        ([OTHER, -OTHER], True),
        ([TONE, -0.5 * TONE], False),
        ([TONE, TONE], False),
        ([TONE, 0 * TONE], False),
        ([TONE, OTHER], False),
        ([0 * TONE, 0 * TONE], False),
        ([TONE], False),
        ([TONE, -TONE, 0 * TONE, 0 * TONE, 0 * TONE, 0 * TONE], False),
    ],
)
def test_channels_that_cancel_each_other(tmp_path, channels, cancel):
    path = write(tmp_path / 'a.wav', *channels)
    assert read_sound(path, 0, SECONDS, RATE).cancelled is cancel


def test_a_codec_that_rounds(tmp_path):
    path = write(tmp_path / 'a.m4a', TONE, -TONE, codec='aac')
    assert read_sound(path, 0.5, 1.5, RATE).cancelled


def test_the_modality_warns_once_of_a_file(tmp_path, recwarn):
    paths = [write(tmp_path / f'{name}.wav', TONE, -TONE) for name in 'ab']
    good = write(tmp_path / 'good.wav', TONE, TONE)
    modality = AudioModality(fps=10, segment_seconds=0.5)
    for path in (*paths, *paths, good):
        record = dict(sample_id='1', start_frame=5, stop_frame=20, media=dict(audio=str(path)))
        for frame in (8, 12):
            modality.read(record, np.array([frame]))
        told = modality.notes(record)
        assert bool(told) == (path != good) and all(str(path) in text for text in told)
    texts = [str(warning.message) for warning in recwarn]
    assert {text.split(':')[0] for text in texts} == {str(path) for path in paths}
    assert all('cancel each other' in text and 'pan=mono' in text for text in texts)
