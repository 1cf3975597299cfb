"""Weights of the very clip, worked by hand and against SciPy."""

import math

import pytest
import scipy.stats
import torch

from mmdistill.models import confidence_weights
from mmdistill.models.sample_weighting import relative_entropies
from mmdistill.models.weighting import expert_cross_entropy, softmin_weights
from mmdistill.registry import MODELS


def build(name, **kwargs):
    return MODELS.build(dict(type=f'mmdistill.{name}', **kwargs))


def test_confidence_weights_worked_case():
    # Losses ln 1, ln 2, ln 5: softmax 1/8, 2/8, 5/8.
    losses_BM = torch.tensor([[0.0, math.log(2), math.log(5)]])
    assert confidence_weights(losses_BM)[0].tolist() == pytest.approx([7 / 16, 6 / 16, 3 / 16])
    assert confidence_weights(torch.tensor([[0.0, 50.0, 50.0]]))[0].max() == 0.5
    assert confidence_weights(torch.tensor([[3.0], [0.1]])).tolist() == [[1.0], [1.0]]


def test_confidence_aware_weights_come_from_the_labels():
    logits_BMK, labels_B = torch.randn(4, 3, 5), torch.tensor([0, 4, 2, 2])
    weights_BM = build('ConfidenceAwareWeighting').weights(logits_BMK, labels_B)
    losses_BM = expert_cross_entropy(logits_BMK, labels_B)
    for b in range(4):
        share = losses_BM[b].exp() / losses_BM[b].exp().sum()
        assert weights_BM[b].tolist() == pytest.approx(((1 - share) / 2).tolist())
    assert not torch.equal(
        weights_BM, build('ConfidenceAwareWeighting').weights(logits_BMK, labels_B.flip(0))
    )


def test_entropies_match_scipy():
    logits_BMK = 3 * torch.randn(4, 3, 5)
    probs = logits_BMK.double().softmax(-1).numpy()
    expected = scipy.stats.entropy(probs, axis=-1, base=5)
    assert relative_entropies(logits_BMK).numpy() == pytest.approx(expected)
    assert relative_entropies(torch.zeros(1, 1, 8)).item() == pytest.approx(1)
    assert relative_entropies(torch.zeros(1, 1, 2)).item() == pytest.approx(1)
    assert relative_entropies(torch.zeros(2, 1, 1)).tolist() == [[0.0], [0.0]]


def test_who_is_sure_counts_more_whatever_the_label():
    logits_BMK = torch.randn(4, 1, 5) * torch.tensor([0.1, 1.0, 9.0])[:, None]
    weights_BM = build('EntropyWeighting', temperature=0.3).weights(logits_BMK, None)
    assert (weights_BM.diff(dim=1) > 0).all()
    expected = softmin_weights(relative_entropies(logits_BMK), 0.3)
    assert torch.equal(weights_BM, expected)


@pytest.mark.parametrize('name', ['EntropyWeighting', 'SampleSoftminWeighting'])
def test_a_temperature_must_be_positive(name):
    with pytest.raises(ValueError, match='must be a finite number > 0'):
        build(name, temperature=0)
