"""Strips of clips from real files on disk; the colours of flow; the choice of clips."""

import cv2
import numpy as np
import pytest

from mmdistill.modalities.detection_file import DetectionWriter, VideoDetections
from mmdistill.modalities.flow_encoding import encode_flow
from mmdistill.reports.sample_clips import (
    choose_clips,
    clip_strip,
    colour_wheel,
    draw_boxes,
    flow_colours,
    outcomes,
)

from .conftest import make_table


def write_clip(root, num_frames=8, width=32, height=24):
    """Frames that brighten, flow to the right, one box in the left half of each frame."""
    for folder in ('rgb', 'flow/u', 'flow/v'):
        (root / folder).mkdir(parents=True)
    right = encode_flow(np.full((height, width), 5.0))
    still = encode_flow(np.zeros((height, width)))
    for i in range(num_frames):
        name = f'frame_{i + 1:010d}.jpg'
        cv2.imwrite(str(root / 'rgb' / name), np.full((height, width, 3), 20 * i, np.uint8))
        cv2.imwrite(str(root / 'flow/u' / name), right)
        cv2.imwrite(str(root / 'flow/v' / name), still)
    boxes = np.tile([0.0, 0.0, width / 2, height], (num_frames, 1))
    frames = np.arange(num_frames)
    scores, labels = np.full(num_frames, 0.9), np.zeros(num_frames, int)
    video = VideoDetections(
        width, height, num_frames, 1, frames, np.arange(num_frames + 1), boxes, scores, labels
    )
    with DetectionWriter(root / 'obj.h5', ['hand']) as writer:
        writer.write('v1', video)
    media = {'rgb': str(root / 'rgb'), 'flow': str(root / 'flow'), 'obj': str(root / 'obj.h5')}
    return {
        'sample_id': 'v1_0',
        'video_id': 'v1',
        'start_frame': 2,
        'stop_frame': num_frames,
        'media': media,
    }


def test_a_strip_shows_the_clip_from_its_first_to_its_last_frame(tmp_path):
    strip = clip_strip(write_clip(tmp_path), num_frames=3, zoom=2)
    assert strip.frames.shape == strip.flow.shape == strip.boxes.shape == (48, 3 * 64 + 2 * 4, 3)
    assert strip.frames[20, 20].mean() == pytest.approx(2 * 20, abs=3)
    assert strip.frames[20, -20].mean() == pytest.approx(7 * 20, abs=3)
    # Motion to the right at full speed is red.
    assert strip.flow[20, 20, 0] > 250 and strip.flow[20, 20, 1:].max() < 40
    # The box's right edge is drawn, the right half is untouched.
    assert (strip.boxes[40, 30:34] != strip.frames[40, 30:34]).any()
    assert (strip.boxes[:, 40:60] == strip.frames[:, 40:60]).all()


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
