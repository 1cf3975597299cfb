"""Softmin of holdout losses, and learned weights against an optimiser of another kind."""

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import torch

from mmdistill.models import softmin_weights
from mmdistill.models.weighting import expert_cross_entropy
from mmdistill.registry import MODELS


@pytest.fixture
def holdout():
    """200 clips and 3 experts: a good one, its copy with other errors, and one that guesses."""
    generator = torch.Generator().manual_seed(0)
    labels_N = torch.randint(0, 5, (200,), generator=generator)
    logits_NMK = torch.randn(200, 3, 5, generator=generator)
    for m, strength in enumerate((2.0, 1.5, 0.0)):
        logits_NMK[torch.arange(200), m, labels_N] += strength
    return logits_NMK, labels_N


def learn(logits_NMK, labels_N):
    weighting = MODELS.build(dict(type='mmdistill.LearnedWeighting'))
    weighting.fit(logits_NMK, labels_N)
    return weighting.weights(logits_NMK, None)


def cross_entropy(weights_M, logits_NMK, labels_N):
    fused_NK = np.einsum('nmk,m->nk', logits_NMK, weights_M)
    log_probs = scipy.special.log_softmax(fused_NK, axis=1)
    return -log_probs[np.arange(len(labels_N)), labels_N].mean()


def test_softmin_uses_the_mean_loss_of_the_holdout(holdout):
    weighting = MODELS.build(dict(type='mmdistill.SoftminWeighting', temperature=0.5))
    weighting.fit(*holdout)
    expected = softmin_weights(expert_cross_entropy(*holdout).mean(0), 0.5)
    assert torch.allclose(weighting.weights(holdout[0], None).double(), expected)


def test_learned_weights_are_those_of_scipy_on_the_simplex(holdout):
    logits, labels = (x.double().numpy() for x in holdout)
    labels = labels.astype(int)
    found = scipy.optimize.minimize(
        cross_entropy,
        np.full(3, 1 / 3),
        args=(logits, labels),
        method='SLSQP',
        bounds=[(0, 1)] * 3,
        constraints=dict(type='eq', fun=lambda w: w.sum() - 1),
        options=dict(ftol=1e-12),
    )
    ours = learn(*holdout).double().numpy()
    assert ours == pytest.approx(found.x, abs=2e-3)
    assert cross_entropy(ours, logits, labels) == pytest.approx(found.fun, abs=1e-6)
    assert cross_entropy(ours, logits, labels) < cross_entropy(np.full(3, 1 / 3), logits, labels)


def test_an_expert_that_only_guesses_is_left_out(holdout):
    logits_NMK, labels_N = holdout
    logits_NMK[:, 2] = 5 * torch.randn(200, 5)
    weights_M = learn(logits_NMK, labels_N)
    assert weights_M[2] < 0.05
    assert weights_M[0] > weights_M[1] > 0.1


def test_blended_labels_say_the_same_as_indices(holdout):
    logits_NMK, labels_N = holdout
    one_hot = torch.nn.functional.one_hot(labels_N, 5).float()
    assert torch.allclose(learn(logits_NMK, one_hot), learn(*holdout), atol=1e-4)


def test_fitting_works_where_gradients_are_off_and_is_the_same_twice(holdout):
    with torch.no_grad():
        first = learn(*holdout)
    assert torch.equal(first, learn(*holdout))
    assert not first.requires_grad
