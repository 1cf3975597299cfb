"""The sensor's file: interpolated in time, and errors that say what is wrong with it."""

import numpy as np
import pytest

from projects.hand_pose.keypoint_track import KeypointTrack, read_track

HEADER = 'time_seconds,wrist_x,wrist_y\n'
WRIST = ('wrist',)


@pytest.fixture
def read(tmp_path):
    def read_text(text, keypoints=WRIST):
        path = tmp_path / f'{abs(hash(text))}.csv'
        path.write_text(text, encoding='utf-8')
        return read_track(path, keypoints)

    return read_text


def test_samples_of_an_uneven_clock_are_interpolated():
    points = np.array([[[0.0, 1.0]], [[1.0, 1.0]], [[1.0, 0.0]]])
    track = KeypointTrack('a.csv', np.array([0.0, 0.1, 0.5]), points)
    found = track.at(np.array([0.5, 0.05, 0.2, 0.0]), max_gap=0.2)
    expected = [[1, 0], [0.5, 1], [1, 0.75], [0, 1]]
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize('moment', [-0.11, 0.3, 0.61])
def test_a_moment_that_the_sensor_did_not_see_is_an_error(moment):
    track = KeypointTrack('a.csv', np.array([0.0, 0.1, 0.5]), np.zeros((3, 1, 2)))
    with pytest.raises(ValueError, match=rf'a.csv has no sample within 0.1 s of second {moment}'):
        track.at(np.array([0.05, moment]), max_gap=0.1)


def test_a_moment_just_outside_takes_the_nearest_sample():
    track = KeypointTrack('a.csv', np.array([0.0, 0.1]), np.array([[[0.0, 0.0]], [[1.0, 2.0]]]))
    np.testing.assert_allclose(track.at(np.array([0.19]), max_gap=0.1), [[[1, 2]]])


def test_columns_may_stand_in_any_order_among_others(read):
    text = '\ufeffwrist_y,quality,wrist_x,time_seconds\n0.2,9,0.1,0.0\n0.4,9,0.3,0.5\n'
    track = read(text)
    assert track.seconds_S.tolist() == [0.0, 0.5]
    assert track.points_SJ2.tolist() == [[[0.1, 0.2]], [[0.3, 0.4]]]


def test_missing_columns_are_named(read):
    with pytest.raises(ValueError, match=r"lacks the columns \['elbow_x', 'elbow_y'\].*found"):
        read(HEADER + '0,0,0\n1,0,0\n', keypoints=('wrist', 'elbow'))


@pytest.mark.parametrize(
    ('rows', 'complaint'),
    [
        ('0,0.1,high\n1,0,0\n', "below its header: .*'high'"),
        ('0,0.1,0.2\n', 'at least two samples.*found 1'),
        ('0,0.1,0.2\n1,nan,0.2\n', 'all of them numbers'),
        ('0,0.1,0.2\n0,0.1,0.2\n', 'at increasing times'),
    ],
)
def test_bad_rows_are_errors(read, rows, complaint):
    with pytest.raises(ValueError, match=complaint):
        read(HEADER + rows)
