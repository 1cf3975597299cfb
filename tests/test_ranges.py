"""Ranges of numbers: what they take on a command line and as arguments, and what they say."""

import argparse

import numpy as np
import pytest

from mmdistill.datasets.transforms import named_steps
from mmdistill.ranges import (
    COUNT,
    FINITE,
    FRACTION,
    LARGEST_INTEGER,
    ONE_OR_MORE,
    POSITIVE,
    POSITIVE_FRACTION,
    SEED,
    Range,
)
from mmdistill.registry import HOOKS, METRICS, MODALITIES, MODELS, TRANSFORMS
from projects.demo.rendering.parameters import DemoParameters

INSIDE = [
    (ONE_OR_MORE, '1', 1),
    (COUNT, '0', 0),
    (FRACTION, '0', 0.0),
    (FRACTION, '1', 1.0),
    (POSITIVE, '1e-9', 1e-9),
    (FINITE, '-1e300', -1e300),
    (SEED, '4294967295', 2**32 - 1),
    (Range(2, whole=True), '2', 2),
]
OUTSIDE = [
    (ONE_OR_MORE, '0', "a whole number >= 1, got '0'"),
    (ONE_OR_MORE, '1.0', "a whole number >= 1, got '1.0'"),
    (ONE_OR_MORE, '', "a whole number >= 1, got ''"),
    (ONE_OR_MORE, str(LARGEST_INTEGER + 1), "a whole number >= 1, got '9223372036854775808'"),
    (ONE_OR_MORE, '9' * 5000, f"a whole number >= 1, got '{'9' * 60}…'"),
    (COUNT, '-1', "a whole number >= 0, got '-1'"),
    (POSITIVE, '0', "a finite number > 0, got '0'"),
    (POSITIVE, 'inf', "a finite number > 0, got 'inf'"),
    (POSITIVE, '1e999', "a finite number > 0, got '1e999'"),
    (POSITIVE, 'nan', "a finite number > 0, got 'nan'"),
    (FRACTION, '2', "a number from 0 to 1, got '2'"),
    (FRACTION, 'nan', "a number from 0 to 1, got 'nan'"),
    (SEED, '4294967296', "a whole number from 0 to 4294967295, got '4294967296'"),
]


@pytest.mark.parametrize(('allowed', 'text', 'value'), INSIDE)
def test_a_flag_in_the_range(allowed, text, value):
    parsed = allowed(text)
    assert parsed == value and type(parsed) is type(value)


@pytest.mark.parametrize(('allowed', 'text', 'message'), OUTSIDE)
def test_a_flag_outside_of_the_range(allowed, text, message, capsys):
    parser = argparse.ArgumentParser(prog='tool')
    parser.add_argument('--number', type=allowed)
    with pytest.raises(SystemExit) as caught:
        parser.parse_args([f'--number={text}'])
    assert caught.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f'tool: error: argument --number: expected {message}'


@pytest.mark.parametrize(
    ('allowed', 'value', 'message'),
    [
        (POSITIVE, 0, 'bound must be a finite number > 0, got 0.'),
        (POSITIVE, float('nan'), 'bound must be a finite number > 0, got nan.'),
        (POSITIVE, True, 'bound must be a finite number > 0, got True.'),
        (POSITIVE, '3', "bound must be a finite number > 0, got '3'."),
        (POSITIVE, 10**400, f'bound must be a finite number > 0, got 1{"0" * 59}….'),
        (POSITIVE_FRACTION, 0, 'bound must be a number > 0 and <= 1, got 0.'),
        (ONE_OR_MORE, 2.0, 'bound must be a whole number >= 1, got 2.0.'),
    ],
)
def test_an_argument_outside_of_the_range(allowed, value, message):
    with pytest.raises(ValueError) as caught:
        allowed.check(size=1, bound=value)
    assert str(caught.value) == message


def test_arguments_in_the_range():
    POSITIVE.check(a=1, b=np.float32(0.5), c=np.int64(3))
    ONE_OR_MORE.check_optional(a=None, b=np.int64(3))


@pytest.mark.parametrize('value', [3, (3,), (3, 0), (3, 4, 5), (3, None)])
def test_what_is_no_pair(value):
    with pytest.raises(ValueError, match='size must be two numbers, each a whole number >= 1, got'):
        ONE_OR_MORE.check_pair(size=value)


NAN, INF = float('nan'), float('inf')
FEATURE = dict(student_layer='a', expert='flow', expert_layer='b')
ENCODER = dict(num_categories=3)
HEADS = dict(action=dict(type='I3DHead', num_classes=2, in_channels=128))
FLIP = dict(modalities=dict(rgb=dict(type='RGBModality')))
# Registry, type, arguments, the argument that is wrong.
COMPONENTS = [
    *((MODELS, 'SoftTargetLoss', dict(loss_weight=x), 'loss_weight') for x in (NAN, INF, -1, '1')),
    *((MODELS, 'SoftTargetLoss', dict(temperature=x), 'temperature') for x in (0, NAN, INF, -2)),
    (MODELS, 'LogitMSELoss', dict(loss_weight=NAN), 'loss_weight'),
    (MODELS, 'DKDLoss', dict(loss_weight=NAN), 'loss_weight'),
    (MODELS, 'DKDLoss', dict(beta=INF), 'beta'),
    (MODELS, 'TTMLoss', dict(loss_weight=-1), 'loss_weight'),
    (MODELS, 'DISTLoss', dict(loss_weight=-1), 'loss_weight'),
    (MODELS, 'DISTLoss', dict(gamma=NAN), 'gamma'),
    (MODELS, 'AttentionTransferLoss', dict(FEATURE, loss_weight=NAN), 'loss_weight'),
    (MODELS, 'FeatureMSELoss', dict(FEATURE, loss_weight=INF), 'loss_weight'),
    (
        MODELS,
        'FeatureMSELoss',
        dict(FEATURE, student_channels=0, expert_channels=4),
        'student_channels',
    ),
    (MODELS, 'RelationalLoss', dict(FEATURE, angle_weight=NAN), 'angle_weight'),
    (MODELS, 'LinearWeight', dict(start=0, end=NAN), 'end'),
    (MODELS, 'StepWeight', dict(weights=[NAN, 1], milestones=[0.5]), 'weight of StepWeight'),
    (MODELS, 'SoftminWeighting', dict(temperature=INF), 'weighting temperature'),
    (MODELS, 'EntropyWeighting', dict(temperature=NAN), 'weighting temperature'),
    (MODELS, 'FixedWeighting', dict(weights=[NAN, 1.0]), 'weights'),
    *(
        (MODELS, 'DetectionFeatureHead', dict(encoder=dict(ENCODER, **wrong), heads=HEADS), *wrong)
        for wrong in (dict(dropout=NAN), dict(num_categories=0), dict(max_frames=0))
    ),
    (MODALITIES, 'RGBModality', dict(clip_len=0), 'clip_len'),
    (MODALITIES, 'RGBModality', dict(clip_len=2.5), 'clip_len'),
    (MODALITIES, 'RGBModality', dict(size=(0, 224)), 'size'),
    (MODALITIES, 'RGBModality', dict(num_threads=-1), 'num_threads'),
    (MODALITIES, 'FlowModality', dict(clip_len=-1), 'clip_len'),
    (MODALITIES, 'DetectionModality', dict(max_boxes=0), 'max_boxes'),
    (MODALITIES, 'DetectionModality', dict(min_score=NAN), 'min_score'),
    (MODALITIES, 'DetectionModality', dict(min_visible=2), 'min_visible'),
    (MODALITIES, 'DetectionModality', dict(feature_dims=-1), 'feature_dims'),
    (MODALITIES, 'PackedBoxes', dict(max_gap=-1), 'max_gap'),
    (MODALITIES, 'PackedBoxes', dict(frame_size=(256, 0)), 'frame_size'),
    (MODALITIES, 'SomethingElseBoxes', dict(max_gap=NAN), 'max_gap'),
    (MODALITIES, 'EpicHandObjects', dict(first_index=-1), 'first_index'),
    *(
        (MODALITIES, 'AudioModality', {key: value}, key)
        for key, value in dict(sample_rate=0, segment_seconds=NAN, fps=INF, norm=(NAN, 1)).items()
    ),
    (MODALITIES, 'AudioModality', dict(spectrogram=dict(hop=0)), 'hop'),
    (MODALITIES, 'AudioModality', dict(norm=(0, 0)), 'standard deviation in norm'),
    (MODALITIES, 'AudioModality', dict(masking=dict(prob=2)), 'prob'),
    (MODALITIES, 'AudioModality', dict(masking=dict(time=-1)), 'time'),
    (METRICS, 'Calibration', dict(scores='logits', num_bins=0), 'num_bins'),
    (METRICS, 'Calibration', dict(scores='logits', num_resamples=-1), 'num_resamples'),
    (METRICS, 'TaskAccuracy', dict(scores='logits', topk=(1, 2.5)), 'topk'),
    (HOOKS, 'DistillationDiagnosticsHook', dict(holdout_interval=-1), 'holdout_interval'),
    *(
        (TRANSFORMS, 'LoadModalities', dict(FLIP, geometry=[dict(type='Flip', flip_ratio=x)]), name)
        for x, name in ((2, 'flip_ratio of Flip'), (NAN, 'flip_ratio of Flip'))
    ),
]


@pytest.mark.parametrize(('registry', 'kind', 'arguments', 'name'), COMPONENTS)
def test_a_registered_component_refuses_the_number(registry, kind, arguments, name):
    with pytest.raises(ValueError, match=name):
        registry.build(dict(arguments, type=f'mmdistill.{kind}'))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(fps=0), 'fps must be'),
        (dict(noise=(8.0, 3.0)), 'noise must not fall'),
        (dict(gain=(NAN, 1.0)), 'gain must be two numbers'),
        (dict(verb_slips=1.5), 'verb_slips must be a number from 0 to 1'),
        (dict(segments_per_video=0), 'segments_per_video must be'),
        (dict(camera_drift=INF), 'camera_drift must be a finite number'),
    ],
)
def test_the_demo_cannot_be_rendered_like_that(arguments, message):
    with pytest.raises(ValueError, match=message):
        DemoParameters(**arguments)


@pytest.mark.parametrize('number', [0, -3, 1.5])
@pytest.mark.parametrize('key', ['clip_len', 'num_clips', 'frame_interval'])
def test_upstreams_sampling(key, number):
    step = dict(dict(type='SampleFrames', clip_len=2), **{key: number})
    with pytest.raises(ValueError, match=f'{key} of SampleFrames must be a whole number >= 1'):
        named_steps([step])
