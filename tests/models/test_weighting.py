"""Weights sum to one, follow the experts when these are permuted, and match worked cases."""

import math

import pytest
import scipy.special
import torch

from mmdistill.models import fuse_logits, softmin_weights
from mmdistill.models.weighting import available_only, expert_cross_entropy
from mmdistill.registry import MODELS

WEIGHTINGS = {
    'uniform': dict(type='mmdistill.UniformWeighting'),
    'fixed': dict(type='mmdistill.FixedWeighting', weights=[0.5, 0.2, 0.3]),
    'softmin': dict(type='mmdistill.SoftminWeighting', temperature=0.5),
    'sample': dict(type='mmdistill.SampleSoftminWeighting', temperature=0.5),
}


@pytest.fixture
def clips():
    generator = torch.Generator().manual_seed(0)
    logits_BMK = 2 * torch.randn(6, 3, 5, generator=generator)
    return logits_BMK, torch.randint(0, 5, (6,), generator=generator)


def weigh(cfg, logits_BMK, labels_B):
    weighting = MODELS.build(cfg)
    weighting.fit(logits_BMK, labels_B)
    return weighting.weights(logits_BMK, labels_B)


@pytest.mark.parametrize('temperature', [0.1, 1.0, 30.0])
def test_softmin_matches_scipy(temperature):
    losses = torch.tensor([0.3, 1.7, 0.9])
    expected = scipy.special.softmax(-losses.numpy() / temperature)
    assert softmin_weights(losses, temperature).numpy() == pytest.approx(expected, rel=1e-5)


def test_softmin_worked_case_and_limits():
    # exp(-0) : exp(-ln 3) = 3 : 1
    losses = torch.tensor([0.0, math.log(3)])
    assert softmin_weights(losses, 1.0).tolist() == pytest.approx([0.75, 0.25])
    assert softmin_weights(losses, 1e-3).tolist() == pytest.approx([1.0, 0.0])
    assert softmin_weights(losses, 1e6).tolist() == pytest.approx([0.5, 0.5], abs=1e-4)


@pytest.mark.parametrize('temperature', [0.0, -2.0])
def test_a_weighting_temperature_must_be_positive(temperature):
    with pytest.raises(ValueError, match='must be > 0'):
        softmin_weights(torch.zeros(2), temperature)
    with pytest.raises(ValueError, match='must be > 0'):
        MODELS.build(dict(type='mmdistill.SoftminWeighting', temperature=temperature))


def test_an_infinite_loss_is_an_error():
    with pytest.raises(ValueError, match='finite'):
        softmin_weights(torch.tensor([1.0, float('nan')]), 1.0)


def test_fuse_logits_worked_case():
    logits_BMK = torch.tensor([[[1.0, 0.0], [3.0, 4.0]], [[2.0, 2.0], [0.0, 8.0]]])
    shared = fuse_logits(logits_BMK, torch.tensor([0.75, 0.25]))
    assert shared.tolist() == [[1.5, 1.0], [1.5, 3.5]]
    per_clip = fuse_logits(logits_BMK, torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
    assert per_clip.tolist() == [[1.0, 0.0], [1.0, 5.0]]


@pytest.mark.parametrize('weights', [[0.5, 0.4], [1.5, -0.5]])
def test_weights_that_do_not_sum_to_one_are_an_error(weights):
    with pytest.raises(ValueError, match='sum to 1'):
        fuse_logits(torch.zeros(2, 2, 3), torch.tensor(weights))
    with pytest.raises(ValueError, match='sum to 1'):
        MODELS.build(dict(type='mmdistill.FixedWeighting', weights=weights))


def test_weights_of_another_shape_are_an_error():
    with pytest.raises(ValueError, match=r'\(3,\)'):
        fuse_logits(torch.zeros(2, 2, 4), torch.ones(3) / 3)


@pytest.mark.parametrize('name', WEIGHTINGS)
def test_weights_sum_to_one(clips, name):
    weights = weigh(WEIGHTINGS[name], *clips)
    assert torch.allclose(weights.sum(-1), torch.ones(weights.shape[:-1]).to(weights))
    assert (weights >= 0).all()


@pytest.mark.parametrize('name', ['uniform', 'softmin', 'sample'])
def test_weights_follow_a_permutation_of_the_experts(clips, name):
    logits_BMK, labels_B = clips
    order = [2, 0, 1]
    before = weigh(WEIGHTINGS[name], logits_BMK, labels_B)
    after = weigh(WEIGHTINGS[name], logits_BMK[:, order], labels_B)
    assert torch.allclose(after, before[..., order])


@pytest.mark.parametrize('name', ['uniform', 'softmin', 'sample'])
def test_one_expert_is_the_teacher(clips, name):
    logits_BMK, labels_B = clips[0][:, :1], clips[1]
    weights = weigh(WEIGHTINGS[name], logits_BMK, labels_B)
    assert torch.allclose(fuse_logits(logits_BMK, weights.float()), logits_BMK[:, 0])


def test_cross_entropy_matches_torch_and_takes_blended_labels(clips):
    logits_BMK, labels_B = clips
    ours = expert_cross_entropy(logits_BMK, labels_B)
    for m in range(3):
        theirs = torch.nn.functional.cross_entropy(logits_BMK[:, m], labels_B, reduction='none')
        assert torch.allclose(ours[:, m].float(), theirs, atol=1e-5)
    one_hot = torch.nn.functional.one_hot(labels_B, 5).float()
    assert torch.allclose(ours, expert_cross_entropy(logits_BMK, one_hot))


def test_softmin_uses_the_mean_loss_of_the_holdout(clips):
    logits_BMK, labels_B = clips
    weighting = MODELS.build(WEIGHTINGS['softmin'])
    weighting.fit(logits_BMK, labels_B)
    expected = softmin_weights(expert_cross_entropy(logits_BMK, labels_B).mean(0), 0.5)
    assert torch.allclose(weighting.weights(logits_BMK, None).double(), expected)

    restored = MODELS.build(WEIGHTINGS['softmin'])
    restored.load_state_dict(weighting.state_dict())
    assert torch.equal(restored.weights(logits_BMK, None), weighting.weights(logits_BMK, None))


def test_an_unfitted_softmin_says_what_is_missing(clips):
    with pytest.raises(RuntimeError, match='holdout_dataloader'):
        MODELS.build(WEIGHTINGS['softmin']).weights(clips[0], None)


def test_sample_softmin_needs_labels(clips):
    with pytest.raises(ValueError, match='unlabelled'):
        MODELS.build(WEIGHTINGS['sample']).weights(clips[0], None)


def test_absent_experts_get_no_weight():
    weights_BM = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    available_BM = torch.tensor([[True, True, True], [False, True, True], [False, True, True]])
    expected = [[0.5, 0.25, 0.25], [0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]
    assert available_only(weights_BM, available_BM).tolist() == expected
    with pytest.raises(ValueError, match=r'\[0\]'):
        available_only(weights_BM[:1], torch.zeros(1, 3, dtype=torch.bool))
