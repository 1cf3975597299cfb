"""The demo's hand keypoints: on the hand's pixels, in a sensor's file, at a rate of their own."""

from dataclasses import replace

import numpy as np
import pytest

from projects.demo.rendering.hand import KEYPOINTS
from projects.demo.rendering.keypoints import COLUMNS, sense_hand, write_keypoints
from projects.demo.rendering.parameters import DemoParameters
from projects.demo.rendering.renderer import render_demo
from projects.demo.rendering.scene import Request, Scene

SIZE = (256, 192)
# A shaky camera: keypoints that ignored it would be several pixels off.
SHAKY = DemoParameters(
    noise=(0.0, 0.0), flicker=0.0, camera_drift=0.15, camera_roll=8.0, camera_zoom=0.1
)


def make_scene(verb: str, seed: int, params=SHAKY, size=SIZE) -> tuple[Request, Scene]:
    surface = np.full((size[1] * 3, size[0] * 3, 3), 140, np.uint8)
    clip = Request(verb, 'mug', 16, 3, (seed,))
    return clip, Scene(clip, (surface, surface), size, params)


@pytest.mark.parametrize('verb', ['push', 'lift', 'touch', 'pretend'])
def test_keypoints_lie_on_the_pixels_of_the_hand(verb):
    """Where a frame with and without its hand differ, there are the keypoints, the wrist too."""
    seen = 0
    for seed in range(3):
        _, scene = make_scene(verb, seed)
        hand = scene.hand
        for index in (0, 7, 15, 18):
            with_hand = scene.frame(index).astype(int)
            scene.hand = replace(hand, bgra=np.zeros_like(hand.bgra))  # its shadow stays
            changed = np.abs(with_hand - scene.frame(index)).max(2) > 8
            scene.hand = hand
            for x, y in scene.keypoints(np.array([index]))[0] * SIZE:
                if 0 <= x < SIZE[0] and 0 <= y < SIZE[1]:
                    assert changed[int(y), int(x)], (seed, index, x, y)
                    seen += 1
    assert seen > 40


def test_fingertips_are_at_the_end_of_the_hand():
    """Half a finger's width beyond a tip there is no hand any more."""
    _, scene = make_scene('push', 1)
    points = scene.hand_keypoints
    assert points.shape == (len(KEYPOINTS), 2)
    bgra = scene.hand.bgra
    for name, (x, y) in zip(KEYPOINTS, points, strict=True):
        column, row = (np.array([x, y]) * scene.hand.texels + scene.hand.anchor).astype(int)
        assert bgra[row, column, 3] == 255
        beyond = int(row - 0.04 * scene.hand.texels)
        assert (bgra[beyond, column, 3] > 0) == (name == 'wrist')


def test_between_two_frames_keypoints_are_between_them_and_the_last_one_holds():
    _, scene = make_scene('pull', 2)
    at = scene.keypoints(np.array([4.0, 4.5, 5.0]))
    assert np.abs(at[1] - (at[0] + at[2]) / 2).max() < 2e-3
    assert np.abs(at[0] - at[2]).max() > 5e-3
    beyond = scene.keypoints(np.array([18.0, 18.75]))
    np.testing.assert_array_equal(beyond[0], beyond[1])


def test_keypoints_are_fractions_at_any_resolution():
    small, large = (
        make_scene('lift', 0, size=size)[1].keypoints(np.arange(16))
        for size in ((128, 96), (512, 384))
    )
    np.testing.assert_allclose(small, large, atol=1e-9)


@pytest.mark.parametrize(('rate', 'first'), [(40.0, 0), (40.0, 7), (30.0, 3), (24.0, 11)])
def test_clips_follow_each_other_on_one_grid_of_times(rate, first):
    params = replace(SHAKY, keypoint_rate=rate)
    clip, scene = make_scene('push', 0, params)
    one = sense_hand(clip, scene, first, params)
    other = sense_hand(clip, scene, first + 19, params)
    times = np.concatenate([one, other])[:, 0]
    assert times[0] >= first / 10 - 1e-9 and times[0] < first / 10 + 1 / rate
    np.testing.assert_allclose(np.diff(times), 1 / rate, atol=1e-9)


def test_sensor_noise_is_as_large_as_asked_for_and_the_same_every_time():
    params = replace(SHAKY, keypoint_noise=0.01)
    clip, scene = make_scene('push', 0, params)
    sensed = sense_hand(clip, scene, 0, params)
    exact = sense_hand(clip, scene, 0, replace(params, keypoint_noise=0.0))
    in_heights = (sensed - exact)[:, 1:].reshape(-1, 5, 2) * (SIZE[0] / SIZE[1], 1)
    assert in_heights.std(axis=(0, 1)) == pytest.approx([0.01, 0.01], rel=0.15)
    np.testing.assert_array_equal(sensed, sense_hand(clip, scene, 0, params))


def test_every_video_has_its_keypoints(tmp_path):
    render_demo(tmp_path / 'demo', num_train=6, num_val=3, seed=3)
    videos = sorted((tmp_path / 'demo').glob('*/videos/*.MP4'))
    assert videos
    lengths = {}
    for line in (tmp_path / 'demo/annotations/EPIC_100_video_info.csv').read_text().split()[1:]:
        video_id, duration, *_ = line.split(',')
        lengths[video_id] = float(duration)
    for video in videos:
        path = video.parents[1] / 'keypoints' / f'{video.stem}.csv'
        assert path.read_text().splitlines()[0] == ','.join(COLUMNS)
        rows = np.loadtxt(path, delimiter=',', skiprows=1)
        assert rows.shape == (round(40 * lengths[video.stem]), 11)
        np.testing.assert_allclose(rows[:, 0], np.arange(len(rows)) / 40, atol=1e-4)


def test_file_is_plain_text_with_a_header(tmp_path):
    rows = np.array([[0.0, *[0.25] * 10], [0.025, *[1.5] * 10]])
    write_keypoints(tmp_path / 'P01/keypoints/a.csv', [rows[:1], rows[1:]])
    lines = (tmp_path / 'P01/keypoints/a.csv').read_text().splitlines()
    assert lines[0].startswith('time_seconds,wrist_x,wrist_y,thumb_x')
    assert lines[2].startswith('0.0250,1.5000,1.5000') and len(lines) == 3
