"""Layers are found by name, heard only while the block runs, and let go of afterwards."""

import gc
import weakref

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from mmdistill.models.features import captured_features, check_layer, feature_of


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(3, 4)
        self.layer1 = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
        self.layer2 = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
        self.unused = nn.Linear(4, 4)
        self.pair = Pair()

    def forward(self, x):
        x = self.layer2(self.layer1(self.stem(x)))
        self.pair(x)
        return x


class Pair(nn.Module):
    def forward(self, x):
        return x, x


def test_outputs_of_the_named_layers_are_captured():
    model, x = Network(), torch.randn(2, 3)
    with captured_features(model, ['layer1', 'stem', 'layer1']) as features:
        output = model(x)
    assert set(features) == {'layer1', 'stem'}
    assert torch.equal(features['stem'], model.stem(x))
    assert torch.equal(model.layer2(features['layer1']), output)


def test_nothing_listens_or_lives_on_after_the_block():
    model = Network()
    with captured_features(model, ['layer1']) as features:
        model(torch.randn(2, 3))
    kept = weakref.ref(features['layer1'])
    model(torch.randn(2, 3))
    assert features['layer1'] is kept()
    assert not any(module._forward_hooks for module in model.modules())
    del features
    gc.collect()
    assert kept() is None


def test_hooks_are_removed_when_the_model_fails():
    model = Network()
    with pytest.raises(RuntimeError), captured_features(model, ['layer1']):
        model(torch.randn(2, 9))
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize('reentrant', [False, True])
def test_what_checkpointing_runs_again_is_not_heard(reentrant):
    model, x = Network(), torch.randn(2, 3, requires_grad=True)
    with captured_features(model, ['layer1', 'layer1.0']) as features:
        hidden = model.stem(x)
        output = model.layer2(checkpoint(model.layer1, hidden, use_reentrant=reentrant))
    before = dict(features)
    assert before['layer1'].requires_grad
    # Inside a reentrant checkpoint the first forward has no graph; the student says so.
    assert before['layer1.0'].requires_grad == (not reentrant)
    output.sum().backward()
    assert all(features[layer] is before[layer] for layer in before)


def test_of_a_layer_that_runs_twice_the_last_output_counts():
    model = Network()
    with captured_features(model, ['stem']) as features:
        model(torch.randn(2, 3))
        model(torch.zeros(2, 3))
    assert torch.equal(features['stem'], model.stem(torch.zeros(2, 3)))


def test_an_unknown_layer_names_those_most_like_it_first():
    with pytest.raises(KeyError) as error:
        check_layer(Network(), 'layer3', "expert 'rgb'")
    assert "no layer 'layer3' in expert 'rgb'" in str(error.value)
    named = str(error.value).split('one of ')[1].split('?')[0].split(', ')
    assert set(named[:2]) == {'layer1', 'layer2'}
    assert {'stem', 'unused', 'pair'} <= set(named)
    check_layer(Network(), 'layer2.1', 'the student')


def test_below_a_layer_that_exists_its_own_layers_are_named():
    with pytest.raises(KeyError, match=r'one of [^?]*layer2\.0[^?]*layer2\.1'):
        check_layer(Network(), 'layer2.conv_that_is_not_there', 'the student')


def test_layers_that_give_no_tensor_or_do_not_run():
    model = Network()
    with (
        pytest.raises(TypeError, match="'pair' returns a tuple with 2 tensors"),
        captured_features(model, ['pair']),
    ):
        model(torch.randn(2, 3))
    with captured_features(model, ['unused']) as features:
        model(torch.randn(2, 3))
    with pytest.raises(RuntimeError, match="'unused' of the student did not run"):
        feature_of(features, 'unused', 'the student')
