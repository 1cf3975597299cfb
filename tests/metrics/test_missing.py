"""Drop curves as mixtures of subsets: against draws, by hand, and against a simulated test."""

import numpy as np
import pytest

from mmdistill.datasets import ModalityDropout
from mmdistill.metrics.missing import (
    drop_rates,
    mixture,
    subset_name,
    subset_probabilities,
    subsets_of,
)
from mmdistill.randomness import seeded

NAMES = ('rgb', 'flow', 'obj')


def test_all_subsets_but_the_empty_one():
    assert [subset_name(s) for s in subsets_of(NAMES)] == [
        'rgb', 'flow', 'obj', 'rgb+flow', 'rgb+obj', 'flow+obj', 'rgb+flow+obj',
    ]  # fmt: skip
    assert len(subsets_of('abcde')) == 31


def test_two_modalities_by_hand():
    # Both kept 0.7 * 0.6; rgb alone 0.7 * 0.4, and half of the 0.3 * 0.4 where none is left.
    found = subset_probabilities(dict(rgb=0.3, flow=0.4))
    expected = {('rgb',): 0.28 + 0.06, ('flow',): 0.18 + 0.06, ('rgb', 'flow'): 0.42}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    'rates', [(0.5, 0.5, 0.5), (0.9, 0.2, 0.6), (0, 0, 0), (1, 1, 1), (1, 0, 1)]
)
def test_probabilities_sum_to_one(rates):
    found = subset_probabilities(dict(zip(NAMES, rates, strict=True)))
    assert sum(found.values()) == pytest.approx(1)
    assert min(found.values()) >= 0


def test_they_are_those_of_the_dropout_that_trains():
    p = dict(rgb=0.8, flow=0.6, obj=0.5)
    drop, counts, size = ModalityDropout(p), dict.fromkeys(subsets_of(NAMES), 0), 6000
    with seeded(1):
        for _ in range(size):
            dropped = drop({})['dropped']
            counts[tuple(name for name in NAMES if name not in dropped)] += 1
    for subset, expected in subset_probabilities(p).items():
        error = 4 * np.sqrt(expected * (1 - expected) / size)
        assert counts[subset] / size == pytest.approx(expected, abs=error)


def test_the_curve_is_the_expected_accuracy_of_a_test_with_drawn_modalities():
    rng = np.random.default_rng(0)
    hits = {
        subset: (rng.random(500) < 0.2 * len(subset) + 0.1) * 1.0 for subset in subsets_of(NAMES)
    }
    rates = dict(rgb=0.5, flow=0.3, obj=0.7)
    mixed = mixture(hits, rates)
    assert mixed.shape == (500,)
    means = []
    for _ in range(400):
        kept = rng.random((500, 3)) >= list(rates.values())
        lost = ~kept.any(1)
        kept[lost, rng.integers(3, size=lost.sum())] = True
        subsets = [tuple(name for name, k in zip(NAMES, row, strict=True) if k) for row in kept]
        means.append(np.mean([hits[subset][i] for i, subset in enumerate(subsets)]))
    assert mixed.mean() == pytest.approx(np.mean(means), abs=4 * np.std(means) / 20)


def test_without_loss_the_curve_is_the_full_model_and_with_all_the_single_ones():
    values = {subset: np.array([float(len(subset))]) for subset in subsets_of(NAMES)}
    assert mixture(values, drop_rates(NAMES, None, 0.0)) == [3]
    assert mixture(values, drop_rates(NAMES, None, 1.0)) == [1]
    assert mixture(values, drop_rates(NAMES, 'flow', 1.0)) == [2]
    assert drop_rates(NAMES, 'flow', 0.4) == dict(rgb=0, flow=0.4, obj=0)


def test_bad_input():
    with pytest.raises(ValueError, match=r"every subset of \['flow', 'rgb'\].*\['rgb\+flow'\]"):
        mixture({('rgb',): np.ones(1), ('flow',): np.ones(1)}, dict(rgb=0.1, flow=0.1))
    with pytest.raises(ValueError, match='the drop rate of rgb must be'):
        subset_probabilities(dict(rgb=1.5))
    with pytest.raises(ValueError, match='at least one modality'):
        subset_probabilities({})
