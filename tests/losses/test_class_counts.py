"""Losses that go by the training clips of each class, against NumPy and SciPy."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch

from mmdistill.losses import (
    balanced_target_kl,
    effective_weights,
    frequency_groups,
    group_kl,
    log_prior,
    soft_target_kl,
)
from mmdistill.registry import MODELS

COUNTS = torch.tensor([300, 120, 60, 40, 12, 5, 1])
LOSSES = ('BalancedTargetLoss', 'AdjustedTargetLoss')


def relative_entropy(p, q):
    return np.mean([scipy.stats.entropy(a, b) for a, b in zip(p, q, strict=True)])


def softmax(x):
    return scipy.special.softmax(x.double().numpy(), axis=-1)


def test_effective_weights_by_hand():
    found = effective_weights(torch.tensor([1, 2]), beta=0.5)  # 1 and 0.5 / 0.75
    torch.testing.assert_close(found, torch.tensor([1.2, 0.8], dtype=torch.float64))
    torch.testing.assert_close(effective_weights(COUNTS, 0.0), torch.ones(7).double())
    limit, near = effective_weights(COUNTS, 1.0), effective_weights(COUNTS, 1 - 1e-9)
    torch.testing.assert_close(limit, near, rtol=1e-5, atol=0)


@pytest.mark.parametrize('temperature', [1.0, 3.0])
def test_balanced_targets_match_the_reference(logits, temperature):
    student, teacher = logits
    weights = effective_weights(COUNTS, 0.99)
    p = softmax(teacher / temperature) * weights.numpy()
    p /= p.sum(-1, keepdims=True)
    expected = temperature**2 * relative_entropy(p, softmax(student / temperature))
    found = balanced_target_kl(student, teacher, weights, temperature)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    cfg = dict(type='mmdistill.BalancedTargetLoss', beta=0.99, temperature=temperature)
    loss = MODELS.build({**cfg, 'loss_weight': 0.5})
    assert loss(student, teacher, COUNTS).item() == pytest.approx(0.5 * expected, rel=1e-5)


@pytest.mark.parametrize(('tau', 'student_tau'), [(1.0, 0.0), (0.0, 1.0), (0.5, 2.0)])
def test_adjusted_targets_match_the_reference(logits, tau, student_tau):
    student, teacher = logits
    prior = COUNTS.numpy() / COUNTS.sum().item()
    p, q = softmax(teacher) / prior**tau, softmax(student) * prior**student_tau
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    cfg = dict(type='mmdistill.AdjustedTargetLoss', tau=tau, student_tau=student_tau)
    found = MODELS.build(cfg)(student, teacher, COUNTS)
    assert found.item() == pytest.approx(relative_entropy(p, q), rel=1e-5)


def test_classes_fall_into_head_medium_and_tail():
    assert frequency_groups(COUNTS, few=20, many=100).tolist() == [0, 0, 1, 1, 2, 2, 2]
    assert frequency_groups(torch.tensor([19, 20, 100, 101]), 20, 100).tolist() == [2, 1, 1, 0]


@pytest.mark.parametrize('temperature', [1.0, 2.0])
def test_the_kl_is_the_sum_of_its_parts(logits, temperature):
    """The chain rule, and each part against SciPy."""
    student, teacher = logits
    groups = frequency_groups(COUNTS, 20, 100)
    between, within, mass = group_kl(student, teacher, groups, temperature)
    whole = (between + (mass * within).sum(1)).mean() * temperature**2
    torch.testing.assert_close(whole, soft_target_kl(student, teacher, temperature))
    p, q = softmax(teacher / temperature), softmax(student / temperature)
    tail = [4, 5, 6]
    np.testing.assert_allclose(mass[:, 2], p[:, tail].sum(1), rtol=1e-5)
    expected = [scipy.stats.entropy(a, b) for a, b in zip(p[:, tail], q[:, tail], strict=True)]
    np.testing.assert_allclose(within[:, 2], expected, rtol=1e-4)
    plain = MODELS.build(
        dict(type='mmdistill.GroupRebalancedLoss', rebalanced=False, temperature=temperature)
    )
    torch.testing.assert_close(plain(student, teacher, COUNTS), whole)
    rebalanced = MODELS.build(dict(type='mmdistill.GroupRebalancedLoss', between=0.0))
    first = group_kl(student, teacher, groups, 1.0)[1]
    torch.testing.assert_close(rebalanced(student, teacher, COUNTS), first.mean())


def test_a_group_without_classes_is_left_out(logits):
    loss = MODELS.build(dict(type='mmdistill.GroupRebalancedLoss', few=0, many=0))
    torch.testing.assert_close(loss(*logits, COUNTS), soft_target_kl(*logits, 1.0))


@pytest.mark.parametrize('name', LOSSES)
def test_a_class_without_clips(logits, name):
    counts = torch.tensor([9, 0, 3, 0, 1, 1, 1])
    loss = MODELS.build(dict(type=f'mmdistill.{name}'))
    with pytest.raises(ValueError, match=r'Classes 1, 3 have no training clip.*min_count=1'):
        loss(*logits, counts)
    as_one = MODELS.build(dict(type=f'mmdistill.{name}', min_count=1))
    torch.testing.assert_close(as_one(*logits, counts), loss(*logits, counts.clamp(min=1)))


@pytest.mark.parametrize('name', [*LOSSES, 'GroupRebalancedLoss'])
def test_counts_of_other_classes(logits, name):
    with pytest.raises(ValueError, match=r'counted for \(3,\) classes, but the logits have 7'):
        MODELS.build(dict(type=f'mmdistill.{name}'))(*logits, COUNTS[:3])


@pytest.mark.parametrize(
    ('name', 'arguments'),
    [
        ('BalancedTargetLoss', dict(beta=1.5)),
        ('BalancedTargetLoss', dict(min_count=-1)),
        ('AdjustedTargetLoss', dict(tau=-1.0)),
        ('GroupRebalancedLoss', dict(few=5, many=2)),
        ('GroupRebalancedLoss', dict(temperature=0.0)),
    ],
)
def test_arguments_out_of_range(name, arguments):
    with pytest.raises(ValueError, match=next(iter(arguments)).replace('few', '0 <= few')):
        MODELS.build(dict(type=f'mmdistill.{name}', **arguments))


def test_a_prior_is_the_share_of_the_clips():
    expected = torch.tensor([0.75, 0.25]).double().log()
    torch.testing.assert_close(log_prior(torch.tensor([3, 1])), expected)
