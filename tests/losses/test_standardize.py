"""Standard scores against SciPy, and logits that have no spread."""

import pytest
import scipy.stats
import torch

from mmdistill.losses import standardize_logits


def test_matches_scipy(logits):
    ours = standardize_logits(logits[0].double())
    assert ours.numpy() == pytest.approx(scipy.stats.zscore(logits[0].double().numpy(), axis=1))


def test_a_worked_case():
    # Mean 2, deviations -2, 0, 2, population variance 8 / 3.
    scores = standardize_logits(torch.tensor([[0.0, 2.0, 4.0]]))
    assert scores[0].tolist() == pytest.approx([-(1.5**0.5), 0.0, 1.5**0.5])


def test_equal_logits_become_zeros_with_a_finite_gradient():
    logits = torch.full((2, 4), 3.0, requires_grad=True)
    scores = standardize_logits(logits)
    assert (scores == 0).all()
    scores.sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_half_precision_is_computed_in_single():
    logits = 300 * torch.randn(3, 5)  # its square does not fit into float16
    scores = standardize_logits(logits.half())
    assert scores.dtype == torch.float32
    assert torch.equal(scores, standardize_logits(logits.half().float()))
