"""T^2 KL against SciPy, its gradient at high temperature, and what must raise."""

import pytest
import scipy.stats
import torch

from mmdistill.losses import SoftTargetLoss, soft_target_kl, standardize_logits
from mmdistill.registry import MODELS


@pytest.mark.parametrize('temperature', [0.5, 1.0, 4.0])
def test_matches_scipy(logits, temperature):
    student, teacher = logits
    p, q = ((x.double() / temperature).softmax(-1).numpy() for x in (teacher, student))
    expected = scipy.stats.entropy(p, q, axis=1).mean() * temperature**2
    assert soft_target_kl(student, teacher, temperature).item() == pytest.approx(expected, rel=1e-5)


def test_is_zero_for_equal_distributions_and_not_symmetric(logits):
    student, teacher = logits
    assert soft_target_kl(student, student + 5.0, 2.0).item() == pytest.approx(0, abs=1e-6)
    there, back = soft_target_kl(student, teacher, 1.0), soft_target_kl(teacher, student, 1.0)
    assert there > 0
    assert abs(there - back) > 1e-2


def test_gradient_tends_to_that_of_centred_logits_at_high_temperature(logits):
    """Hinton et al., eq. 4: with T -> inf the gradient is (student - teacher) / K, centred."""
    student, teacher = logits.double()
    student.requires_grad_(True)
    soft_target_kl(student, teacher, 1e5).backward()
    difference = (student - teacher).detach()
    centred = difference - difference.mean(dim=1, keepdim=True)
    expected = centred / student.shape[1] / len(student)
    assert torch.allclose(student.grad, expected, atol=1e-4)


def test_half_precision_logits_are_computed_in_single(logits):
    student, teacher = logits
    half = soft_target_kl(student.bfloat16(), teacher.bfloat16(), 4.0)
    full = soft_target_kl(student.bfloat16().float(), teacher.bfloat16().float(), 4.0)
    assert half.dtype == torch.float32
    assert half == full


def test_standardised_logits_forget_offset_and_scale(logits):
    student, teacher = logits
    loss = MODELS.build(dict(type='mmdistill.SoftTargetLoss', temperature=2.0, standardize=True))
    expected = soft_target_kl(standardize_logits(student), standardize_logits(teacher), 2.0)
    assert loss(3 * student + 1, teacher / 5).item() == pytest.approx(expected.item(), rel=1e-4)
    assert loss(student, 7 * student - 2).item() == pytest.approx(0, abs=1e-5)


def test_the_registered_loss_scales_by_its_weight(logits):
    loss = MODELS.build(dict(type='mmdistill.SoftTargetLoss', temperature=2.0, loss_weight=0.25))
    assert loss(*logits).item() == pytest.approx(0.25 * soft_target_kl(*logits, 2.0).item())


@pytest.mark.parametrize('temperature', [0.0, -1.0, float('nan')])
def test_a_temperature_must_be_positive(temperature):
    with pytest.raises(ValueError, match='must be a finite number > 0'):
        SoftTargetLoss(temperature=temperature)
    with pytest.raises(ValueError, match='must be a finite number > 0'):
        soft_target_kl(torch.zeros(1, 2), torch.zeros(1, 2), temperature)


def test_other_classes_are_an_error():
    with pytest.raises(ValueError, match=r'\(2, 3\).*\(2, 4\)'):
        soft_target_kl(torch.zeros(2, 3), torch.zeros(2, 4), 1.0)
