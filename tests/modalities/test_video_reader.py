"""PyAV and decord number the frames of a video alike, and PyAV says where it cannot."""

from fractions import Fraction

import av
import numpy as np
import pytest
from mmdistill.modalities.video_reader import (
    NotNumbered,
    VideoDamaged,
    read_by_decord,
    read_by_pyav,
    read_video,
)

from mmdistill.modalities import video_reader

NUM_FRAMES = 40


def write_video(path, moments, codec='libx264', **options):
    """Patches of noise, others in each frame, shown at `moments` / 30 seconds."""
    rng = np.random.default_rng(0)
    with av.open(str(path), 'w') as out:
        stream = out.add_stream(codec, rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        stream.codec_context.time_base = Fraction(1, 30)
        for moment in moments:
            pixels = np.kron(rng.integers(0, 256, (6, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format='rgb24')
            frame.pts, frame.time_base = moment, Fraction(1, 30)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


@pytest.fixture(scope='module', params=['B frames', 'no B frames', 'MPEG-4', 'starts late'])
def video(request, tmp_path_factory):
    path = tmp_path_factory.mktemp('video') / 'clip.mp4'
    moments = range(NUM_FRAMES)
    if request.param == 'MPEG-4':
        return write_video(path, moments, 'mpeg4', g='12')
    if request.param == 'starts late':
        return write_video(path, range(7, 7 + NUM_FRAMES), g='10')
    return write_video(path, moments, g='15', bf='3' if request.param == 'B frames' else '0')


@pytest.mark.parametrize('inds', [[0], [39], [17, 18, 23], [*range(0, 40, 3)], [14, 15, 16, 31]])
@pytest.mark.parametrize('num_threads', [1, 2])
def test_both_read_the_same_frames(video, inds, num_threads):
    found = read_by_pyav(video, np.array(inds), num_threads)
    assert found.shape == (len(inds), 48, 64, 3) and found.dtype == np.uint8
    assert np.array_equal(found, read_by_decord(video, np.array(inds)))


def test_frames_of_uneven_length_are_left_to_decord(tmp_path):
    moments = np.cumsum(1 + np.arange(NUM_FRAMES) % 3 // 2)
    path, inds = write_video(tmp_path / 'uneven.mp4', moments.tolist()), np.array([5, 20, 39])
    with pytest.raises(NotNumbered):
        read_video(path, inds, reader='pyav')
    assert np.array_equal(read_video(path, inds), read_by_decord(path, inds))


def test_a_rate_that_the_frames_deny_is_not_believed(tmp_path, monkeypatch):
    """The container may round; every decoded frame is looked at."""
    path = write_video(tmp_path / 'uneven.mp4', [0, 1, 2, 3, 5, 6, 7, 9, 11, 12], bf='0')
    monkeypatch.setattr(video_reader, 'timing_of', lambda stream: video_reader.Timing(0, 1024, 10))
    with pytest.raises(NotNumbered):
        read_by_pyav(path, np.array([2, 8]))


@pytest.mark.parametrize('reader', ['pyav', 'decord'])
class TestBadInput:
    def test_beyond_the_end(self, tmp_path, reader):
        path = write_video(tmp_path / 'clip.mp4', range(NUM_FRAMES))
        with pytest.raises(IndexError, match='40'):
            read_video(path, np.array([3, 40]), reader)

    def test_no_video(self, tmp_path, reader):
        (tmp_path / 'clip.mp4').write_bytes(b'no video at all')
        with pytest.raises(VideoDamaged) as caught:
            read_video(tmp_path / 'clip.mp4', np.array([0]), reader)
        assert not caught.value.opened
