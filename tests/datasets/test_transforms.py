"""LoadModalities and PackModalities: which inputs are loaded, and what leaves the pipeline."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope

from mmdistill.datasets.transforms import LoadModalities, PackModalities, named_steps
from mmdistill.labels import task_labels
from mmdistill.modalities import RGBModality
from mmdistill.registry import TRANSFORMS

RGB = dict(type='mmdistill.RGBModality', template='{index}.png')
FLOW = dict(type='mmdistill.FlowModality', template='{index}.png')
RESIZE = dict(type='Resize', scale=(40, 32), keep_ratio=False)
FLIP = dict(type='Flip', flip_ratio=1.0)


@pytest.fixture
def record(tmp_path):
    """Four frames of 80 x 60 pixels that grow brighter to the right, and flow of 40 x 30."""
    ramp = np.arange(80, dtype=np.uint8)
    for folder, width, height in (('rgb', 80, 60), ('flow/u', 40, 30), ('flow/v', 40, 30)):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(1, 5):
            image = np.tile(ramp[:width] + 10 * number, (height, 1))
            cv2.imwrite(str(tmp_path / folder / f'{number}.png'), image)
    return dict(
        sample_id='P01_101_0',
        video_id='P01_101',
        group='P01_101',
        start_frame=0,
        stop_frame=4,
        total_frames=4,
        start_index=0,
        media=dict(rgb=str(tmp_path / 'rgb'), flow=str(tmp_path / 'flow')),
        modality='RGB',
    )


def sampled(record: dict, **entries) -> dict:
    return dict(record, frame_inds=np.arange(4), num_clips=1, clip_len=4, **entries)


@pytest.mark.parametrize(
    ('inputs', 'keys'),
    [
        (None, ['rgb', 'flow']),
        (['flow'], ['flow']),
        (('flow', 'rgb'), ['flow', 'rgb']),
    ],
)
def test_several_inputs_become_a_dict(record, inputs, keys):
    load = LoadModalities(dict(rgb=RGB, flow=FLOW), inputs, [RESIZE])
    packed = PackModalities()(load(sampled(record)))
    assert list(packed['inputs']) == keys
    channels = dict(rgb=3, flow=2)
    for key in keys:
        assert packed['inputs'][key].shape == (1, channels[key], 4, 32, 40)
        assert packed['inputs'][key].dtype == torch.uint8


def test_one_input_becomes_a_tensor_and_others_are_not_read(record):
    record['media'] = dict(flow=record['media']['flow'])
    load = LoadModalities(dict(rgb=RGB, flow=FLOW), 'flow', [RESIZE])
    packed = PackModalities()(load(sampled(record)))
    assert isinstance(packed['inputs'], torch.Tensor)
    assert packed['inputs'].shape == (1, 2, 4, 32, 40)


def test_one_reading_serves_two_layouts_of_the_same_video(record, monkeypatch):
    read, asked = RGBModality.read, []
    monkeypatch.setattr(
        RGBModality, 'read', lambda self, r, inds: asked.append(list(inds)) or read(self, r, inds)
    )
    modalities = dict(
        rgb=RGB, flow=FLOW, frames=dict(RGB, clip_len=2, input_format='NCHW'), again=RGB
    )
    result = LoadModalities(modalities, ('rgb', 'flow', 'frames'), [RESIZE])(sampled(record))
    assert asked == [[0, 1, 2, 3, 0, 3]]
    assert result['rgb'].shape == (1, 3, 4, 32, 40)
    assert result['frames'].shape == (2, 3, 32, 40)
    assert (result['frames'] == result['rgb'][0][:, [0, 3]].transpose(1, 0, 2, 3)).all()


def test_a_2d_student_and_3d_experts_read_the_same_segments(record):
    modalities = dict(
        frames=dict(RGB, clip_len=4, input_format='NCHW'), flow=dict(FLOW, clip_len=3)
    )
    segments = dict(record, frame_inds=np.arange(4), num_clips=4, clip_len=1)
    result = LoadModalities(modalities, None, [RESIZE])(segments)
    assert result['frames'].shape == (4, 3, 32, 40)
    assert result['flow'].shape == (1, 2, 3, 32, 40)


@pytest.mark.parametrize(
    ('modalities', 'inputs', 'message'),
    [
        (dict(rgb=RGB), ['rgb', 'audio'], r"configured modalities are \['rgb'\]; add \['audio'\]"),
        (dict(rgb=RGB), 'flow', r"inputs=\['flow'\], but"),
        ({}, None, r'inputs=\[\], but .* are \[\]; add one to modalities'),
    ],
)
def test_unknown_or_no_input(modalities, inputs, message):
    with pytest.raises(KeyError, match=message):
        LoadModalities(modalities, inputs)


def test_unknown_modality_type():
    with pytest.raises(KeyError, match=r'RGBModalty is not in the .*modality registry'):
        LoadModalities(dict(rgb=dict(type='mmdistill.RGBModalty')))


@pytest.mark.parametrize('scope', ['mmaction', 'mmdistill'])
@pytest.mark.parametrize('prefix', ['mmdistill.', ''])
def test_modality_is_found_in_any_default_scope(scope, prefix, record):
    with DefaultScope.overwrite_default_scope(scope):
        load = TRANSFORMS.build(
            dict(
                type='mmdistill.LoadModalities',
                modalities=dict(rgb=dict(RGB, type=f'{prefix}RGBModality')),
                geometry=[RESIZE],
            )
        )
    assert load(sampled(record))['rgb'].shape == (1, 3, 4, 32, 40)


def test_named_steps_are_a_list_with_names(record):
    names = dict(resize=RESIZE, flip=FLIP)
    assert named_steps(names) == named_steps([RESIZE, FLIP]) == [RESIZE, FLIP]
    assert named_steps(()) == []
    by_name, by_place = (
        LoadModalities(dict(rgb=RGB), geometry=steps)(sampled(record))['rgb']
        for steps in (names, [RESIZE, FLIP])
    )
    assert np.array_equal(by_name, by_place)
    assert by_name[0, 0, 0, 5, 0] > by_name[0, 0, 0, 5, -1], 'the ramp must be mirrored'


def test_geometry_is_drawn_anew_for_every_clip(record):
    load = LoadModalities(dict(rgb=RGB), geometry=[dict(type='RandomCrop', size=40)])
    np.random.seed(0)
    corners = {int(load(sampled(record))['rgb'][0, 0, 0, 0, 0]) for _ in range(12)}
    assert len(corners) > 4


def test_meta_of_the_record_travels_where_it_is_present(record):
    entries = dict(participant_id='P01', unseen=False, tail_verb=True, narration_id='x')
    load = LoadModalities(dict(rgb=RGB), 'rgb', [RESIZE])
    sample = PackModalities()(load(sampled(record, **entries)))['data_samples']
    assert sample.metainfo == dict(
        sample_id='P01_101_0',
        video_id='P01_101',
        group='P01_101',
        img_shape=(32, 40),
        available=dict(rgb=True),
        participant_id='P01',
        unseen=False,
        tail_verb=True,
    )
    few = PackModalities(meta_keys=['sample_id'])(load(sampled(record)))['data_samples']
    assert few.metainfo == dict(sample_id='P01_101_0')


@pytest.mark.parametrize('label', [3, 0, dict(verb=3, noun=0)])
def test_label(record, label):
    results = LoadModalities(dict(rgb=RGB), 'rgb')(sampled(record, label=label))
    sample = PackModalities()(results)['data_samples']
    assert ('gt_labels' in sample) == isinstance(label, dict)
    assert ('gt_label' in sample) != isinstance(label, dict)
    expected = label if isinstance(label, dict) else dict(action=label)
    assert {task: value.tolist() for task, value in task_labels([sample]).items()} == {
        task: [value] for task, value in expected.items()
    }
    assert results['label'] == label, 'the results must stay as they are'


def test_clip_without_label(record):
    sample = PackModalities()(LoadModalities(dict(rgb=RGB))(sampled(record)))['data_samples']
    assert 'gt_label' not in sample
    assert 'gt_labels' not in sample


def test_whole_pipeline_begins_at_the_segment_and_holds_its_end(record):
    sample = dict(type='SampleFrames', clip_len=3, frame_interval=2, out_of_bound_opt='repeat_last')
    steps = [
        dict(sample, test_mode=True),
        dict(type='mmdistill.LoadModalities', modalities=dict(rgb=RGB), inputs='rgb'),
        dict(type='mmdistill.PackModalities'),
    ]
    results = dict(record, start_frame=1, start_index=1, total_frames=3)
    for step in steps:
        results = TRANSFORMS.build(step)(results)
    # Frames 1 and 3 of brightness 20 and 40; a third one would lie behind the end.
    assert results['inputs'][0, 0, :, 0, 0].tolist() == [20, 40, 40]
