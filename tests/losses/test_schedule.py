"""Weights over training: worked values, the ends, and what is no schedule."""

import numpy as np
import pytest

from mmdistill.losses import cosine_weight, linear_weight, step_weight
from mmdistill.losses.schedule import build_weight
from mmdistill.registry import MODELS


def test_a_line_between_two_levels():
    found = [linear_weight(x, 0.2, 1.0, 0.25, 0.75) for x in (0, 0.25, 0.375, 0.5, 0.75, 0.99)]
    assert found == pytest.approx([0.2, 0.2, 0.4, 0.6, 1.0, 1.0])
    progress = np.linspace(0, 1, 11)
    ours = [linear_weight(x, 3.0, 0.0, 0.1, 0.4) for x in progress]
    assert ours == pytest.approx(np.interp(progress, [0.1, 0.4], [3.0, 0.0]))


def test_half_a_cosine_between_two_levels():
    found = [cosine_weight(x, 2.0, 0.0, 0.0, 0.6) for x in (0, 0.2, 0.3, 0.4, 0.6, 1)]
    assert found == pytest.approx([2.0, 1.5, 1.0, 0.5, 0.0, 0.0])


def test_steps():
    found = [step_weight(x, [1.0, 0.5, 0.0], [0.3, 0.8]) for x in (0, 0.29, 0.3, 0.79, 0.8, 0.99)]
    assert found == [1.0, 1.0, 0.5, 0.5, 0.0, 0.0]


def test_a_ramp_of_no_length_is_a_step():
    assert [linear_weight(x, 0.0, 1.0, 0.5, 0.5) for x in (0.0, 0.49, 0.5)] == [0.0, 0.0, 1.0]


def test_the_registered_schedules_are_these_functions():
    ramp = dict(start=0.0, end=0.9, begin=0.1, until=0.3)
    for name, function in (('LinearWeight', linear_weight), ('CosineWeight', cosine_weight)):
        schedule = build_weight(dict(type=f'mmdistill.{name}', **ramp), 'loss_weight')
        assert schedule(0.15) == function(0.15, **ramp) > 0
    steps = build_weight(dict(type='mmdistill.StepWeight', weights=[2, 1], milestones=[0.5]), 'w')
    assert (steps(0.4), steps(0.5)) == (2, 1)
    assert build_weight(0.25, 'loss_weight') == 0.25


@pytest.mark.parametrize(
    ('cfg', 'message'),
    [
        (dict(type='LinearWeight', start=-1, end=0), 'start must be a finite number >= 0, got -1'),
        (dict(type='LinearWeight', start=0, end=1, begin=0.5, until=0.2), 'begin=0.5, until=0.2'),
        (dict(type='CosineWeight', start=0, end=1, until=30), 'fractions of training'),
        (dict(type='StepWeight', weights=[1, 2], milestones=[]), 'one weight more'),
        (dict(type='StepWeight', weights=[1, 2, 3], milestones=[0.5, 0.2]), 'rising'),
        (dict(type='StepWeight', weights=[1, 2], milestones=[3]), 'fractions of training'),
        (dict(type='StepWeight', weights=[1, 2], milestones=[1.5]), 'fractions of training'),
        (dict(type='StepWeight', weights=[1, 2], milestones=[-0.5]), 'fractions of training'),
    ],
)
def test_bad_schedules(cfg, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(cfg, type=f'mmdistill.{cfg["type"]}'))


@pytest.mark.parametrize('weight', [None, '0.5', dict(type='mmdistill.LogitMSELoss'), True])
def test_what_is_no_weight(weight):
    with pytest.raises(TypeError, match='a number or a schedule'):
        build_weight(weight, 'loss_weight')
