"""DIST against SciPy's correlation, and batches that hold one clip."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch

from mmdistill.losses import dist_relations
from mmdistill.registry import MODELS


def reference(student, teacher, temperature):
    p_S, p_T = (scipy.special.softmax(z / temperature, axis=1) for z in (student, teacher))
    rows = [1 - scipy.stats.pearsonr(a, b)[0] for a, b in zip(p_S, p_T, strict=True)]
    columns = [1 - scipy.stats.pearsonr(a, b)[0] for a, b in zip(p_S.T, p_T.T, strict=True)]
    return np.mean(rows) * temperature**2, np.mean(columns) * temperature**2


@pytest.mark.parametrize('temperature', [1.0, 4.0])
def test_matches_scipy(logits, temperature):
    expected = reference(*logits.double().numpy(), temperature)
    relations = dist_relations(*logits.double(), temperature)
    assert [x.item() for x in relations] == pytest.approx(expected, rel=1e-6)
    loss = MODELS.build(
        dict(type='mmdistill.DISTLoss', beta=0.5, gamma=3.0, temperature=temperature, loss_weight=2)
    )
    both = 2 * (0.5 * expected[0] + 3 * expected[1])
    assert loss(*logits).item() == pytest.approx(both, rel=1e-4)


def test_is_zero_for_the_same_answers_and_two_for_opposite_ones():
    same = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    assert [x.item() for x in dist_relations(same, same, 1.0)] == pytest.approx([0, 0], abs=1e-6)
    opposite = [x.item() for x in dist_relations(same, same.flip(1), 1.0)]
    assert opposite == pytest.approx([2, 2], abs=1e-6)


def test_one_clip_has_no_relations_between_clips(logits):
    student = logits[0, :1].clone().requires_grad_(True)
    inter, intra = dist_relations(student, logits[1, :1], 1.0)
    assert inter > 0
    assert intra == 0
    (inter + intra).backward()
    assert torch.isfinite(student.grad).all()
    assert student.grad.abs().sum() > 0


def test_half_precision_is_computed_in_single(logits):
    half = dist_relations(*logits.bfloat16(), 1.0)
    assert half == dist_relations(*logits.bfloat16().float(), 1.0)


def test_bad_input(logits):
    with pytest.raises(ValueError, match='same classes'):
        dist_relations(logits[0], logits[1][:, :3], 1.0)
    with pytest.raises(ValueError, match='at least 2'):
        dist_relations(torch.zeros(2, 1), torch.zeros(2, 1), 1.0)
    with pytest.raises(ValueError, match='gamma must be'):
        MODELS.build(dict(type='mmdistill.DISTLoss', gamma=-1))
