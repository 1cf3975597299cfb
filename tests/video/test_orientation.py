"""Display matrices, all eight quarter turns and mirrorings, against NumPy and the pixel formula."""

import struct
from types import SimpleNamespace

import av
import numpy as np
import pytest

from mmdistill.video import index_video, read_clip
from mmdistill.video.orientation import Turn, turn_of

ONE = 1 << 16
EIGHT = [(a, b, c, d) for a, d, b, c in [
    (1, 1, 0, 0), (-1, -1, 0, 0), (-1, 1, 0, 0), (1, -1, 0, 0),
    (0, 0, 1, -1), (0, 0, -1, 1), (0, 0, 1, 1), (0, 0, -1, -1),
]]  # fmt: skip


def frame_with(a, b, c, d):
    matrix = struct.pack('9i', a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)
    data = type('Data', (), {
        'type': SimpleNamespace(name='DISPLAYMATRIX'), '__bytes__': lambda self: matrix
    })()  # fmt: skip
    return SimpleNamespace(side_data=[data])


@pytest.mark.parametrize('matrix', EIGHT)
def test_every_pixel_goes_where_the_matrix_says(matrix):
    a, b, c, d = matrix
    stored = np.arange(3 * 5 * 3).reshape(3, 5, 3)
    places = {(a * x + c * y, b * x + d * y): stored[y, x] for y in range(3) for x in range(5)}
    left, top = (min(place[axis] for place in places) for axis in (0, 1))
    turn = turn_of(frame_with(*matrix))
    upright = turn.apply(stored)
    assert turn.size(5, 3) == upright.shape[1::-1]
    for (x, y), pixel in places.items():
        np.testing.assert_array_equal(upright[y - top, x - left], pixel)
    assert turn.mirrored is (a * d - b * c < 0)


@pytest.mark.parametrize('degrees', [0, 90, 180, 270])
def test_rotations_are_those_of_numpy(degrees):
    quarter = degrees // 90
    matrix = [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)][quarter]
    turn, stored = turn_of(frame_with(*matrix)), np.arange(30).reshape(2, 5, 3)
    np.testing.assert_array_equal(turn.apply(stored), np.rot90(stored, -quarter))
    assert turn.degrees == degrees and not turn.mirrored


def test_no_matrix_and_no_rotation():
    assert turn_of(SimpleNamespace(side_data=[])) == Turn() == turn_of(frame_with(0, 0, 0, 0))


@pytest.mark.parametrize('degrees', [90, 180, 270])
def test_a_video_of_a_phone_is_read_upright(tmp_path, write_video, plain_decode, degrees):
    """As it was stored by the phone: the picture lies, the matrix says how to turn it."""
    stored, path = write_video(tmp_path / 'stored.mp4'), tmp_path / 'phone.mp4'
    with av.open(str(stored)) as source, av.open(str(path), 'w') as out:
        track = out.add_stream_from_template(source.streams.video[0])
        if not hasattr(track, 'set_display_rotation'):
            pytest.skip('this PyAV cannot write display matrices')
        track.set_display_rotation(-degrees)  # FFmpeg counts counterclockwise
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = track
                out.mux(packet)
    index = index_video(path)
    assert index.turn.degrees == degrees
    assert index.size == ((64, 48) if degrees == 180 else (48, 64))
    expected = np.rot90(plain_decode(stored), -degrees // 90, axes=(1, 2))
    np.testing.assert_array_equal(read_clip(path, np.array([0, 17])), expected[[0, 17]])
