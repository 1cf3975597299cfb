"""The demo's clips: what verbs, first frames and boxes promise."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from projects.demo.rendering.motion import MOVING, VERBS, draw_displacement, draw_start, draw_track
from projects.demo.rendering.nouns import NOUNS, draw_noun
from projects.demo.rendering.parameters import DemoParameters
from projects.demo.rendering.scene import Request, Scene

SIZE = (128, 96)
PARAMS = DemoParameters()
SQUARE = 0.2 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def make_scene(verb: str, noun: str, seed: int, size=SIZE, params=PARAMS) -> Scene:
    surface = np.full((size[1] * 3, size[0] * 3, 3), 140, np.uint8)
    return Scene(Request(verb, noun, 16, 2, (seed,)), (surface, surface), size, params)


@pytest.mark.parametrize('seed', range(4))
def test_first_frame_does_not_tell_the_verb(seed):
    first = [make_scene(verb, 'mug', seed).frame(0) for verb in VERBS]
    assert all((frame == first[0]).all() for frame in first)


def test_later_frames_do_tell_the_verb():
    last = [make_scene(verb, 'mug', 0).frame(15) for verb in VERBS]
    differing = [(a != b).any() for k, a in enumerate(last) for b in last[:k]]
    assert all(differing)


@pytest.mark.parametrize('verb', VERBS)
def test_hand_and_target_do_what_the_verb_says(verb):
    least = 0.9 * PARAMS.distance[0]
    for seed in range(30):
        start = draw_start(4 / 3, np.random.default_rng((seed, 0)), PARAMS)
        track = draw_track(verb, start, SQUARE, 16, np.random.default_rng((seed, 1)), PARAMS)
        moved = track.target[-1] - track.target[0]
        along = moved @ start.arm
        towards = np.linalg.norm(start.companion - track.target, axis=1)
        lifted = track.height[-1] - track.height[0]
        if verb in ('push', 'lift'):
            assert along > least and (lifted > 0.3 * least) == (verb == 'lift')
        elif verb in ('pull', 'put-down'):
            assert along < -least and (lifted < -0.3 * least) == (verb == 'put-down')
        elif verb == 'move-closer':
            assert towards[-1] < towards[0] - least and lifted == 0
        elif verb == 'move-apart':
            assert towards[-1] > towards[0] + least and lifted == 0
        else:
            assert np.linalg.norm(moved) <= PARAMS.nudge[1] and lifted == 0
        gaps = (track.target - track.tips) @ start.arm
        edge = (SQUARE @ -start.arm).max()
        touches = gaps.min() < edge - 0.02
        assert touches or verb == 'pretend'
        assert track.height.min() >= 0


def test_lift_grows_and_push_shrinks_the_target():
    start = draw_start(4 / 3, np.random.default_rng(0), PARAMS)
    growth = {
        verb: draw_track(verb, start, SQUARE, 16, np.random.default_rng(1), PARAMS).growth[-1]
        for verb in ('push', 'pull', 'lift', 'put-down')
    }
    assert growth['lift'] > 1.02 > 0.98 > growth['push']
    assert growth['pull'] > 1.02 > 0.98 > growth['put-down']


def test_displacement_of_a_verb_that_moves_nothing_is_an_error():
    start = draw_start(4 / 3, np.random.default_rng(0), PARAMS)
    assert set(MOVING) < set(VERBS)
    with pytest.raises(ValueError, match="one of .*'push'.* got 'touch'"):
        draw_displacement('touch', start, np.random.default_rng(0), PARAMS)


@pytest.mark.parametrize('noun', NOUNS)
def test_outline_is_the_hull_of_the_opaque_pixels(noun):
    sprite = draw_noun(noun, 0.2, 288, np.array([-0.4, -0.4]), np.random.default_rng(2), PARAMS)
    opaque = cv2.findNonZero((sprite.bgra[..., 3] > 127).astype(np.uint8)).reshape(-1, 2) + 0.5
    drawn = (opaque - sprite.anchor) / sprite.texels
    pixel = 1 / sprite.texels
    assert np.abs(drawn.min(0) - sprite.outline.min(0)).max() < 2 * pixel
    assert np.abs(drawn.max(0) - sprite.outline.max(0)).max() < 2 * pixel
    border = sprite.bgra.copy()
    border[1:-1, 1:-1] = 0
    assert not border.any(), 'the drawing is cut off at the edge of its canvas'


def test_box_encloses_the_moving_target():
    """Where a frame with and without its target differ, there the target's box is."""
    quiet = DemoParameters(
        noise=(0.0, 0.0), flicker=0.0, distractors=(0, 0), random_hue=0.0, camera_jitter=0.0
    )
    scene = make_scene('push', 'plate', 3, params=quiet)
    for index in (0, 8, 15):
        with_target = scene.frame(index).astype(int)
        plate = scene.target
        scene.target = replace(plate, bgra=np.zeros_like(plate.bgra))  # its shadow stays
        without = scene.frame(index).astype(int)
        scene.target = plate
        changed = np.abs(with_target - without).max(2) > 20
        y, x = np.nonzero(changed)
        name, box = scene.boxes(index)[1]
        assert name == 'plate'
        assert x.min() >= box[0] - 1.5 and x.max() + 1 <= box[2] + 1.5
        assert y.min() >= box[1] - 1.5 and y.max() + 1 <= box[3] + 1.5
        assert x.min() <= box[0] + 3 and x.max() + 1 >= box[2] - 3


def test_after_the_segment_the_scene_rests_and_size_scales():
    scene = make_scene('pull', 'carrot', 1)
    assert scene.frame(17).shape == (96, 128, 3)
    large = make_scene('pull', 'carrot', 1, size=(256, 192))
    ratio = [b[1] / a[1] for a, b in zip(scene.boxes(0), large.boxes(0), strict=True)]
    assert np.allclose(ratio, 2, atol=0.05)
