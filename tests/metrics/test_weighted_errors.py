"""Errors under weights: a weight is a repetition; AURC and overconfidence worked by hand."""

from itertools import permutations

import numpy as np
import pytest

from mmdistill.metrics import (
    adaptive_ece,
    area_under_risk_coverage,
    expected_calibration_error,
    overconfidence_share,
)
from mmdistill.metrics.weighted_errors import (
    TopLabel,
    equal_mass_error,
    equal_width_errors,
    risk_coverage_area,
)


def tied_top(num=60, seed=0):
    generator = np.random.default_rng(seed)
    confidence = generator.choice([0.3, 0.5, 0.7, 0.9, 1.0], num) + 1e-3 * generator.integers(3)
    return TopLabel(np.minimum(confidence, 1.0), generator.random(num) < confidence)


def brute_force_area(top):
    """The mean error rate over all prefixes and, with few samples, all orders of equals."""
    areas = []
    for order in permutations(range(len(top.confidence_N))):
        confidence = top.confidence_N[list(order)]
        if (np.diff(confidence) <= 0).all():
            errors = np.cumsum(~top.correct_N[list(order)])
            areas.append(np.mean(errors / np.arange(1, len(errors) + 1)))
    return np.mean(areas)


@pytest.mark.parametrize('seed', range(4))
def test_aurc_is_the_mean_over_all_orders_of_equal_confidences(seed):
    top = tied_top(6, seed)
    area = risk_coverage_area(top, np.ones((1, 6)))[0]
    assert area == pytest.approx(brute_force_area(top), abs=1e-12)


def test_aurc_worked_by_hand():
    # Most confident first: right, wrong, right: error rates 0, 1/2, 1/3.
    probs = np.array([[0.6, 0.4], [0.9, 0.1], [0.8, 0.2]])
    labels = np.array([0, 0, 1])
    assert area_under_risk_coverage(probs, labels) == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)
    # All alike: every prefix has the error rate of the whole in the mean.
    assert area_under_risk_coverage(np.full((4, 2), 0.5), np.array([0, 0, 0, 1])) == 0.25
    assert area_under_risk_coverage(probs[:1], np.array([1])) == 1


@pytest.mark.parametrize('function', [equal_mass_error, risk_coverage_area, equal_width_errors])
def test_a_weight_is_a_repetition(function):
    top = tied_top()
    weights = np.random.default_rng(5).integers(0, 4, (3, 60))
    found = function(top, weights.astype(float))
    for row, counts in enumerate(weights):
        index = np.repeat(np.arange(60), counts)
        again = TopLabel(top.confidence_N[index], top.correct_N[index])
        expected = function(again, np.ones((1, len(index))))
        if isinstance(found, dict):
            assert {k: v[row] for k, v in found.items()} == pytest.approx(
                {k: v[0] for k, v in expected.items()}
            )
        else:
            assert found[row] == pytest.approx(expected[0], abs=1e-12)


def test_overconfidence_is_its_share_of_the_ece():
    # Two bins: {0.3 right} is 0.7 too low, {0.9 wrong, 0.7 right} is 0.3 too high.
    probs = np.array([[0.3, 0.25, 0.25, 0.2], [0.9, 0.1, 0, 0], [0.7, 0.1, 0.1, 0.1]])
    labels = np.array([0, 1, 0])
    assert overconfidence_share(probs, labels, 2) == pytest.approx(0.6 / (0.6 + 0.7))
    assert overconfidence_share(np.eye(2), np.array([1, 0])) == 1
    assert overconfidence_share(np.eye(2), np.array([0, 1])) == 0
    # 0.1 + 0.2 - 0.3 is not 0 in binary, and no overconfidence.
    tenths = np.full((10, 10), 0.1)
    assert overconfidence_share(tenths, np.arange(10)) == 0


def test_one_sample_and_empty_bins():
    probs, label = np.array([[0.75, 0.25]]), np.array([0])
    for error in (expected_calibration_error, adaptive_ece):
        assert error(probs, label) == pytest.approx(0.25)
    assert expected_calibration_error(probs, label, norm='max') == pytest.approx(0.25)
    assert area_under_risk_coverage(probs, label) == 0


def test_no_bins_is_an_error():
    for function in (equal_width_errors, equal_mass_error):
        with pytest.raises(ValueError, match='num_bins'):
            function(tied_top(), np.ones((1, 60)), 0)
