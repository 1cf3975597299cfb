"""Weights sum to one, follow the experts when these are permuted, and match worked cases."""

import math

import pytest
import scipy.special
import torch

from mmdistill.models import Weighting, fuse_logits, softmin_weights
from mmdistill.models.weighting import available_only, expert_cross_entropy, weights_per_clip
from mmdistill.registry import MODELS

# The fixed one's weights are a statement about the experts in their order.
FIXED = {3: [0.5, 0.2, 0.3], 1: [1.0]}
ARGUMENTS = dict(
    UniformWeighting=dict(),
    FixedWeighting=dict(weights=FIXED[3]),
    SoftminWeighting=dict(temperature=0.5),
    LearnedWeighting=dict(),
    # Of a handful of clips the temperatures of experts would be at their limit.
    CalibratedWeighting=dict(weighting=dict(type='mmdistill.SoftminWeighting'), experts=False),
    SampleSoftminWeighting=dict(temperature=0.5),
    EntropyWeighting=dict(temperature=0.5),
    ConfidenceAwareWeighting=dict(),
)
NAMES = sorted(ARGUMENTS)


@pytest.fixture
def clips():
    generator = torch.Generator().manual_seed(0)
    logits_BMK = 2 * torch.randn(6, 3, 5, generator=generator)
    return logits_BMK, torch.randint(0, 5, (6,), generator=generator)


def build(name, **changes):
    return MODELS.build(dict(type=f'mmdistill.{name}', **(ARGUMENTS[name] | changes)))


def weigh(name, logits_BMK, labels_B, **changes):
    """(B, M) weights of a weighting that saw the same clips as its holdout."""
    weighting = build(name, **changes)
    weighting.fit(logits_BMK, labels_B)
    return weights_per_clip(weighting.weights(logits_BMK, labels_B), logits_BMK)


def test_every_registered_weighting_is_tested_here():
    registered = {
        name
        for name, part in MODELS.module_dict.items()
        if issubclass(part, Weighting) and part.__module__.startswith('mmdistill.')
    }
    assert registered == set(NAMES)


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
    with pytest.raises(ValueError, match='must be a finite number > 0'):
        softmin_weights(torch.zeros(2), temperature)
    with pytest.raises(ValueError, match='must be a finite number > 0'):
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


@pytest.mark.parametrize('name', NAMES)
def test_weights_sum_to_one_over_the_available_experts(clips, name):
    weights_BM = weigh(name, *clips)
    assert (weights_BM >= 0).all()
    assert torch.allclose(weights_BM.sum(1), torch.ones(6).to(weights_BM))
    available_BM = torch.rand(6, 3) > 0.4
    available_BM[:, 1] = True
    kept_BM = available_only(weights_BM, available_BM)
    assert torch.allclose(kept_BM.sum(1), torch.ones(6).to(kept_BM))
    assert (kept_BM[~available_BM] == 0).all()


@pytest.mark.parametrize('name', NAMES)
def test_weights_follow_a_permutation_of_the_experts(clips, name):
    logits_BMK, labels_B = clips
    order = [2, 0, 1]
    fixed = name == 'FixedWeighting'
    changes = dict(weights=[FIXED[3][m] for m in order]) if fixed else {}
    before = weigh(name, logits_BMK, labels_B)
    after = weigh(name, logits_BMK[:, order], labels_B, **changes)
    assert torch.allclose(after, before[:, order], atol=1e-5)
    if name != 'UniformWeighting':
        assert not torch.allclose(after, before, atol=1e-2)


@pytest.mark.parametrize('name', NAMES)
def test_one_expert_is_the_teacher(clips, name):
    logits_BMK, labels_B = clips[0][:, :1], clips[1]
    changes = dict(weights=FIXED[1]) if name == 'FixedWeighting' else {}
    weights_BM = weigh(name, logits_BMK, labels_B, **changes)
    assert torch.allclose(fuse_logits(logits_BMK, weights_BM.float()), logits_BMK[:, 0])


@pytest.mark.parametrize('name', NAMES)
def test_what_was_fitted_survives_a_checkpoint(clips, name, tmp_path):
    logits_BMK, labels_B = clips
    fitted, restored = build(name), build(name)
    fitted.fit(logits_BMK, labels_B)
    torch.save(fitted.state_dict(), tmp_path / 'state.pth')
    restored.load_state_dict(torch.load(tmp_path / 'state.pth', weights_only=True))
    ours, theirs = (w.weights(logits_BMK, labels_B) for w in (fitted, restored))
    assert torch.equal(ours, theirs)
    assert bool(fitted.state_dict()) == fitted.needs_holdout


@pytest.mark.parametrize('name', NAMES)
def test_labels_and_holdout_are_needed_only_by_those_that_say_so(clips, name):
    weighting = build(name)
    if weighting.needs_holdout:
        with pytest.raises(RuntimeError, match=f'{name} was not fitted.*holdout_dataloader'):
            weighting.weights(clips[0], clips[1])
    elif weighting.needs_labels:
        with pytest.raises(ValueError, match=f'{name} weighs.*unlabelled'):
            weighting.weights(clips[0], None)
    else:
        assert weighting.weights(clips[0], None).shape[-1] == 3


def test_cross_entropy_matches_torch_and_takes_blended_labels(clips):
    logits_BMK, labels_B = clips
    ours = expert_cross_entropy(logits_BMK, labels_B)
    for m in range(3):
        theirs = torch.nn.functional.cross_entropy(logits_BMK[:, m], labels_B, reduction='none')
        assert torch.allclose(ours[:, m].float(), theirs, atol=1e-5)
    one_hot = torch.nn.functional.one_hot(labels_B, 5).float()
    assert torch.allclose(ours, expert_cross_entropy(logits_BMK, one_hot))


def test_absent_experts_get_no_weight():
    weights_BM = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    available_BM = torch.tensor([[True, True, True], [False, True, True], [False, True, True]])
    expected = [[0.5, 0.25, 0.25], [0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]
    assert available_only(weights_BM, available_BM).tolist() == expected
    with pytest.raises(ValueError, match=r'\[0\]'):
        available_only(weights_BM[:1], torch.zeros(1, 3, dtype=torch.bool))
