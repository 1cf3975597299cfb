"""TTM and WTTM against SciPy, from the power transform of the teacher's probabilities."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch

from mmdistill.losses import soft_target_kl, transformed_teacher_kl
from mmdistill.registry import MODELS


def reference(student, teacher, temperature, weighted):
    """Clip by clip: powers of probabilities, their sum, and SciPy's relative entropy."""
    found = []
    for z_S, z_T in zip(student, teacher, strict=True):
        powers = scipy.special.softmax(z_T) ** (1 / temperature)
        kl = scipy.stats.entropy(powers / powers.sum(), scipy.special.softmax(z_S))
        found.append(kl * powers.sum() if weighted else kl)
    return np.mean(found)


@pytest.mark.parametrize('temperature', [0.5, 1.0, 4.0])
@pytest.mark.parametrize('weighted', [False, True])
def test_matches_the_reference(logits, temperature, weighted):
    expected = reference(*logits.double().numpy(), temperature, weighted)
    found = transformed_teacher_kl(*logits, temperature, weighted)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    loss = MODELS.build(
        dict(type='mmdistill.TTMLoss', temperature=temperature, weighted=weighted, loss_weight=0.5)
    )
    assert loss(*logits).item() == pytest.approx(0.5 * expected, rel=1e-5)


@pytest.mark.parametrize('weighted', [False, True])
def test_at_1_it_is_the_kl_of_soft_targets(logits, weighted):
    found = transformed_teacher_kl(*logits, 1.0, weighted)
    torch.testing.assert_close(found, soft_target_kl(*logits, 1.0))


def test_an_unsure_teacher_weighs_more():
    student = torch.zeros(1, 3)
    sure, unsure = torch.tensor([[9.0, 0.0, 0.0]]), torch.tensor([[1.0, 0.0, 0.0]])

    def weight(teacher):
        parts = [transformed_teacher_kl(student, teacher, 2.0, w) for w in (True, False)]
        return (parts[0] / parts[1]).item()

    assert 1 < weight(sure) < weight(unsure) < 3**0.5


def test_large_logits_give_finite_gradients():
    student = torch.tensor([[90.0, -5.0, 2.0]], requires_grad=True)
    transformed_teacher_kl(student, torch.tensor([[200.0, 0.0, 1.0]]), 2.0, True).backward()
    assert torch.isfinite(student.grad).all()


def test_half_precision_is_computed_in_single(logits):
    half = transformed_teacher_kl(*logits.bfloat16(), 2.0, True)
    assert half.dtype == torch.float32
    assert half == transformed_teacher_kl(*logits.bfloat16().float(), 2.0, True)


def test_bad_input(logits):
    with pytest.raises(ValueError, match='temperature'):
        transformed_teacher_kl(*logits, 0.0)
    with pytest.raises(ValueError, match='same classes'):
        transformed_teacher_kl(torch.zeros(2, 3), torch.zeros(2, 4), 1.0)
