"""A teacher put together from dumps: by hand, and on what the cache's holdout says."""

import numpy as np
import pytest
import torch

from mmdistill.cache import CacheWriter, Manifest
from mmdistill.metrics import ScoreTable
from projects.demo.chain.fused_scores import fused_scores

SOFTMIN = dict(type='mmdistill.SoftminWeighting', temperature=0.5)


@pytest.fixture
def cache(tmp_path):
    """Three experts, of whom the holdout likes the last one most."""
    manifest = Manifest(1, 4, None, ['rgb', 'flow', 'obj'], dict(verb=3), {}, ['a'], {})
    writer = CacheWriter(tmp_path, manifest)
    writer.begin()
    writer.write_shards(lambda view, clips: (dict(verb=torch.zeros(1, 3, 3)), torch.ones(1, 3)))
    labels = torch.tensor([0, 1, 2, 1])
    truth = torch.nn.functional.one_hot(labels, 3).float()
    logits = torch.stack([0 * truth, 1 * truth, 3 * truth], dim=1)
    writer.write_holdout(dict(verb=logits), dict(verb=labels))
    return tmp_path


def table(seed, views=2):
    logits = np.random.default_rng(seed).normal(size=(5, views, 3)).astype('f4')
    names = np.array(list('abcde'))
    return ScoreTable(names, names, dict(verb=logits), dict(verb=np.arange(5) % 3), {})


def test_logits_are_summed_with_the_weights_of_the_holdout(cache):
    experts = dict(flow=table(1), obj=table(2))
    found = fused_scores(cache, SOFTMIN, experts)
    # Cross-entropy of a one-hot answer of size s among three classes: log(1 + 2 exp(-s)).
    losses = np.log1p(2 * np.exp(-np.array([1.0, 3.0])))
    weights = np.exp(-losses / 0.5) / np.exp(-losses / 0.5).sum()
    assert found.weights['verb'] == pytest.approx(dict(flow=weights[0], obj=weights[1]), rel=1e-6)
    means = [expert.scores['verb'].mean(1) for expert in experts.values()]
    expected = weights[0] * means[0] + weights[1] * means[1]
    assert np.allclose(found.table.scores['verb'][:, 0], expected, atol=1e-6)
    assert found.table.scores['verb'].shape == (5, 1, 3)
    assert found.table.labels == experts['flow'].labels


def test_weights_of_no_holdout(cache):
    found = fused_scores(
        cache, dict(type='mmdistill.UniformWeighting'), dict(rgb=table(0), obj=table(2))
    )
    assert found.weights == dict(verb=dict(rgb=0.5, obj=0.5))


class TestBadInput:
    def test_weights_of_each_clip(self, cache):
        with pytest.raises(ValueError, match='EntropyWeighting weighs every clip by itself'):
            fused_scores(cache, dict(type='mmdistill.EntropyWeighting'), dict(rgb=table(0)))

    def test_no_holdout(self, cache):
        (cache / 'holdout.safetensors').unlink()
        with pytest.raises(ValueError, match='has no holdout to weigh the experts on'):
            fused_scores(cache, SOFTMIN, dict(rgb=table(0)))
