"""Strips of clips from real files on disk; the colours of flow; the choice of clips."""

import numpy as np
import pytest

from mmdistill.evaluation.sample_clips import (
    choose_clips,
    clip_strips,
    colour_wheel,
    draw_boxes,
    flow_colours,
    outcomes,
)
from mmdistill.modalities import AudioModality, DetectionModality, FlowModality, RGBModality

from .conftest import make_table, write_clip


def modalities(**settings):
    return {
        'obj': DetectionModality(),
        'rgb': RGBModality(**settings),
        'flow': FlowModality(channels=3),
        'audio': AudioModality(optional=True),
    }


def test_strips_show_the_clip_from_its_first_to_its_last_frame(tmp_path):
    strips = clip_strips(write_clip(tmp_path), modalities(), num_frames=3)
    # Frames of 32 x 24 pixels are shown 192 pixels high, with 4 white ones between them.
    assert {name: x.shape for name, x in strips.items()} == dict.fromkeys(
        ('rgb', 'flow', 'obj'), (192, 3 * 256 + 2 * 4, 3)
    )
    frames, flow, boxes = (strips[name] for name in ('rgb', 'flow', 'obj'))
    assert frames[80, 80].mean() == pytest.approx(2 * 20, abs=3)
    assert frames[80, -80].mean() == pytest.approx(7 * 20, abs=3)
    # Motion to the right at full speed is red.
    assert flow[80, 80, 0] > 250 and flow[80, 80, 1:].max() < 40
    # The box's right edge is drawn, the right half is untouched.
    assert (boxes[160, 120:136] != frames[160, 120:136]).any()
    assert (boxes[:, 160:240] == frames[:, 160:240]).all()


def test_large_frames_shrink_and_boxes_need_no_frames(tmp_path):
    record = write_clip(tmp_path, width=640, height=384)
    assert clip_strips(record, {'rgb': RGBModality()}, num_frames=2)['rgb'].shape[0] == 192
    alone = clip_strips(record, {'obj': DetectionModality()}, num_frames=2)
    assert alone['obj'].shape == (192, 2 * 320 + 4, 3) and np.unique(alone['obj']).size > 2


def test_what_a_clip_lacks_has_no_strip(tmp_path):
    record = write_clip(tmp_path)
    del record['media']['rgb']
    assert 'rgb' not in clip_strips(record, modalities(optional=True), num_frames=2)
    with pytest.raises(KeyError, match="needs 'rgb'"):
        clip_strips(record, {'rgb': RGBModality()})


def test_no_motion_is_white_and_opposite_motions_differ():
    flow = np.array([[[0, 0], [3, 0], [-3, 0], [30, 0]]], np.float32)
    still, right, left, clipped = flow_colours(flow, 3.0)[0]
    assert still.tolist() == [255, 255, 255]
    assert right.tolist() == [255, 0, 0] and left.tolist() == [0, 255, 255]
    assert clipped.tolist() == right.tolist()


def test_the_wheel_is_round():
    wheel = colour_wheel(33)
    assert wheel.shape == (33, 33, 4)
    assert wheel[0, 0, 3] == 0 and wheel[16, 16, 3] == 255
    assert wheel[16, 16, :3].min() > 240


def test_drawing_leaves_the_frame_alone():
    frame = np.zeros((40, 40, 3), np.uint8)
    drawn = draw_boxes(frame, np.array([[0.1, 0.1, 0.9, 0.9, 1.0, 0]]), ['hand'])
    assert frame.max() == 0 and drawn.max() > 0
    # A label without a name is drawn as its number.
    assert draw_boxes(frame, np.array([[0.1, 0.1, 0.9, 0.9, 1.0, 3]]), ['hand']).max() > 0


def test_outcomes_part_the_clips():
    parts = outcomes(make_table(0.5, 1), make_table(2.0, 2), 'action')
    assert sorted(np.concatenate(list(parts.values()))) == list(range(40))
    assert len(parts['student']) > len(parts['baseline'])


def test_choice_is_fixed_and_never_more_than_there_are():
    parts = {'student': np.arange(10), 'both': np.array([11]), 'baseline': np.array([], int)}
    wanted = {'student': 3, 'both': 2, 'baseline': 1}
    chosen = choose_clips(parts, wanted)
    assert chosen == choose_clips(parts, wanted)
    assert [name for name, _ in chosen] == ['student'] * 3 + ['both']
    assert len({clip for _, clip in chosen}) == 4
