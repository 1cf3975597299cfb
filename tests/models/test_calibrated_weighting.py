"""A calibrated teacher: temperatures by an optimiser of another kind, weights on what is scaled."""

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import torch

from mmdistill.models import fuse_logits
from mmdistill.models.fusion import ExpertFusion
from mmdistill.models.weighting import expert_cross_entropy
from mmdistill.registry import MODELS

SIZES = (4.0, 1.0, 0.3)  # too sure, calibrated or nearly, too shy


@pytest.fixture
def holdout():
    """400 clips; every expert draws its label from its own softmax, then speaks louder or lower."""
    generator = torch.Generator().manual_seed(0)
    labels_N = torch.randint(0, 5, (400,), generator=generator)
    logits_NMK = torch.randn(400, 3, 5, generator=generator)
    logits_NMK[torch.arange(400), :, labels_N] += 1.5
    return logits_NMK * torch.tensor(SIZES)[:, None], labels_N


def build(**options):
    inner = dict(type='mmdistill.SoftminWeighting', temperature=0.5)
    return MODELS.build(dict(type='mmdistill.CalibratedWeighting', weighting=inner, **options))


def best_temperature(logits_NK, labels_N):
    def loss(log_temperature):
        log_probs = scipy.special.log_softmax(logits_NK / np.exp(log_temperature), axis=1)
        return -log_probs[np.arange(len(labels_N)), labels_N].mean()

    return np.exp(scipy.optimize.minimize_scalar(loss, bounds=(-5, 5), method='bounded').x)


def test_temperatures_are_those_of_scipy(holdout):
    logits, labels = holdout
    weighting = build()
    weighting.fit(logits, labels)
    expected = [best_temperature(logits[:, m].double().numpy(), labels.numpy()) for m in range(3)]
    assert weighting.temperatures_M.tolist() == pytest.approx(expected, rel=1e-3)
    ratios = weighting.temperatures_M / weighting.temperatures_M[1]
    assert ratios.tolist() == pytest.approx(SIZES, rel=0.2)
    scaled = logits / weighting.temperatures_M[:, None].float()
    weights = weighting.weights(scaled, None)
    fused = fuse_logits(scaled, weights)
    expected = best_temperature(fused.double().numpy(), labels.numpy())
    assert weighting.temperature.item() == pytest.approx(expected, rel=1e-3)
    torch.testing.assert_close(weighting.fused(logits, None), fused / weighting.temperature.float())


def test_the_teacher_is_better_calibrated(holdout):
    logits, labels = holdout
    losses = {}
    for name, options in dict(
        none=dict(experts=False, teacher=False), experts=dict(teacher=False), both={}
    ).items():
        weighting = build(**options)
        weighting.fit(logits, labels)
        fused = weighting.fused(logits, None)
        losses[name] = expert_cross_entropy(fused[:, None], labels).mean().item()
    assert losses['none'] > losses['experts'] > losses['both']


def test_without_scaling_it_is_the_weighting_inside(holdout):
    logits, labels = holdout
    weighting, inner = build(experts=False, teacher=False), build().weighting
    for found in (weighting, inner):
        found.fit(logits, labels)
    torch.testing.assert_close(weighting.fused(logits, None), inner.fused(logits, None))


def test_the_state_is_restored(holdout):
    weighting, again = build(), build()
    assert again.state_dict() == {}
    weighting.fit(*holdout)
    state = weighting.state_dict()
    assert all(isinstance(value, torch.Tensor) for value in state.values())
    again.load_state_dict(state)
    assert torch.equal(weighting.fused(holdout[0], None), again.fused(holdout[0], None))


def test_a_clip_that_lacks_an_expert_is_fused_from_the_others(holdout):
    fusion = ExpertFusion()
    fusion.weightings = dict(verb=build())
    fusion.fit_weighting(dict(verb=holdout[0]), dict(verb=holdout[1]))
    logits = holdout[0][:2]
    available = torch.tensor([[True, True, True], [False, True, False]])
    output = fusion.fuse(dict(verb=logits), [], available)
    weighting = fusion.weightings['verb']
    torch.testing.assert_close(output.logits['verb'][:1], weighting.fused(logits[:1], None))
    alone = logits[1, 1] / weighting.temperatures_M[1] / weighting.temperature
    torch.testing.assert_close(output.logits['verb'][1], alone.float())


def test_bad_input(holdout):
    logits, labels = holdout
    with pytest.raises(RuntimeError, match='CalibratedWeighting was not fitted'):
        build().fused(logits, None)
    with pytest.raises(ValueError, match='blended labels'):
        build().fit(logits, torch.full((400, 5), 0.2))
