"""A row per clip: flow colours what moves, and a broken clip does not end the sheet."""

import numpy as np

from mmdistill.evaluation.contact_sheet import CAPTION, GAP, WIDTH, contact_sheet
from mmdistill.modalities import FlowModality, RGBModality

from .test_sample_clips import write_clip


def clip(root, stop=8):
    return dict(
        sample_id='clip',
        video_id='clip',
        start_frame=0,
        stop_frame=stop,
        media=dict(rgb=str(root / 'rgb'), flow=str(root / 'flow')),
    )


def test_flow_lies_over_rgb(tmp_path):
    write_clip(tmp_path)
    rgb, flow = RGBModality(), FlowModality()
    [plain, both] = [
        contact_sheet([('a', clip(tmp_path))], modalities, num_frames=3)
        for modalities in (dict(rgb=rgb), dict(rgb=rgb, flow=flow))
    ]
    height = CAPTION + WIDTH * 24 // 32 + GAP
    assert plain.shape == both.shape == (height, 3 * (WIDTH + GAP) - GAP, 3)
    spread = [np.ptp(sheet[CAPTION + 100, 100].astype(int)) for sheet in (plain, both)]
    assert spread[0] < 5 and spread[1] > 100  # grey frames; motion to the right is red
    assert both[CAPTION + 100, 100].argmax() == 0


def test_a_broken_clip_is_said(tmp_path):
    write_clip(tmp_path)
    clips = [('good', clip(tmp_path)), ('bad', clip(tmp_path, stop=20))]
    sheet = contact_sheet(clips, dict(rgb=RGBModality()), num_frames=2)
    assert len(sheet) == 2 * (CAPTION + GAP) + WIDTH * 24 // 32 + 60
    assert (sheet[-GAP - 30, 5] == 225).all()
