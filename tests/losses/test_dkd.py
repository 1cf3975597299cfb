"""DKD against a float64 re-implementation, and against the KL that it takes apart."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch

from mmdistill.losses import decoupled_kl, soft_target_kl
from mmdistill.registry import MODELS

LABELS = torch.tensor([0, 6, 3, 3, 1])


def reference(student, teacher, labels, temperature):
    """Clip by clip, with SciPy's relative entropy."""
    tckd, nckd = [], []
    for z_S, z_T, y in zip(student, teacher, labels, strict=True):
        p_S, p_T = (scipy.special.softmax(z / temperature) for z in (z_S, z_T))
        binary_S, binary_T = ([p[y], 1 - p[y]] for p in (p_S, p_T))
        tckd.append(scipy.stats.entropy(binary_T, binary_S))
        # SciPy divides by the sums, which makes distributions of what is left.
        nckd.append(scipy.stats.entropy(np.delete(p_T, y), np.delete(p_S, y)))
    return np.mean(tckd) * temperature**2, np.mean(nckd) * temperature**2


@pytest.mark.parametrize('temperature', [1.0, 4.0])
def test_matches_the_reference(logits, temperature):
    expected = reference(*logits.double().numpy(), LABELS.numpy(), temperature)
    parts = decoupled_kl(*logits, LABELS, temperature)
    assert [part.item() for part in parts] == pytest.approx(expected, rel=1e-5)
    loss = MODELS.build(
        dict(type='mmdistill.DKDLoss', alpha=0.5, beta=3.0, temperature=temperature, loss_weight=2)
    )
    both = 2 * (0.5 * expected[0] + 3 * expected[1])
    assert loss(*logits, LABELS).item() == pytest.approx(both, rel=1e-5)


def test_the_parts_make_up_the_kl(logits):
    """Eq. 5 of the paper, for one clip: KL = TCKD + (1 - p) NCKD."""
    student, teacher = logits[:, :1].double()
    tckd, nckd = decoupled_kl(student, teacher, LABELS[:1], 2.0)
    p = (teacher / 2).softmax(-1)[0, LABELS[0]]
    kl = soft_target_kl(student, teacher, 2.0)
    assert (tckd + (1 - p) * nckd).item() == pytest.approx(kl.item(), rel=1e-9)


def test_a_very_sure_teacher_gives_finite_gradients():
    teacher = torch.tensor([[200.0, 0.0, 1.0]])
    student = torch.tensor([[90.0, -5.0, 2.0]], requires_grad=True)
    tckd, nckd = decoupled_kl(student, teacher, torch.tensor([0]), 1.0)
    (tckd + nckd).backward()
    assert nckd > 0.1
    assert torch.isfinite(student.grad).all()


def test_half_precision_is_computed_in_single(logits):
    half = decoupled_kl(*logits.bfloat16(), LABELS, 4.0)
    full = decoupled_kl(*logits.bfloat16().float(), LABELS, 4.0)
    assert [x.dtype for x in half] == [torch.float32] * 2
    assert half == full


def test_bad_input(logits):
    with pytest.raises(ValueError, match='blended'):
        decoupled_kl(*logits, torch.full((5, 7), 1 / 7), 1.0)
    with pytest.raises(ValueError, match=r'\(5,\)'):
        decoupled_kl(*logits, LABELS[:4], 1.0)
    with pytest.raises(ValueError, match='at least 2'):
        decoupled_kl(torch.zeros(2, 1), torch.zeros(2, 1), torch.zeros(2).long(), 1.0)
    for wrong in (dict(alpha=-1), dict(beta=float('nan')), dict(temperature=0)):
        with pytest.raises(ValueError, match='must be'):
            MODELS.build(dict(type='mmdistill.DKDLoss', **wrong))
