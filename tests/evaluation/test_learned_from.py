"""Which expert explains a gain: cases where the answer is known."""

import numpy as np
import pytest

from mmdistill.evaluation.learned_from import learned_from, weighted_correlation

LABELS = np.repeat([0, 1, 2, 3], 10)


def right_about(*classes, seeds=1):
    return np.tile(np.isin(LABELS, classes), (seeds, 1))


def test_the_expert_that_knows_the_gained_classes_is_found():
    baseline, student = right_about(0), right_about(0, 1)
    flow = learned_from(baseline, student, right_about(0, 1, 2), LABELS, 4)
    obj = learned_from(baseline, student, right_about(3), LABELS, 4)
    assert (flow.known_of_gained, flow.known_of_wrong) == (1.0, pytest.approx(2 / 3))
    assert (obj.known_of_gained, obj.known_of_wrong) == (0.0, pytest.approx(1 / 3))
    np.testing.assert_allclose(flow.advantage_K, [0, 1, 1, 0])
    np.testing.assert_allclose(obj.advantage_K, [-1, 0, 0, 1])
    gain = [0, 1, 0, 0]
    assert flow.correlation == pytest.approx(np.corrcoef([0, 1, 1, 0], gain)[0, 1])
    assert obj.correlation == pytest.approx(np.corrcoef([-1, 0, 0, 1], gain)[0, 1])


def test_without_a_gain_nothing_was_learned():
    same = right_about(0)
    found = learned_from(same, same, right_about(1), LABELS, 4)
    assert found.known_of_gained is None and found.correlation is None


def test_seeds_are_paired_where_there_are_equally_many():
    baseline = np.stack([right_about(0)[0], right_about(1)[0]])
    student = np.stack([right_about(0)[0], right_about(1, 2)[0]])
    found = learned_from(baseline, student, right_about(2), LABELS, 4)
    # Gained is class 2 alone, in the second seed; over all pairs classes 0 and 1 would count, too.
    assert found.known_of_gained == 1.0
    assert learned_from(baseline, student[1:], right_about(2), LABELS, 4).known_of_gained < 1


def test_the_correlation_counts_clips():
    generator = np.random.default_rng(0)
    x, y, weights = generator.normal(size=6), generator.normal(size=6), np.array([1, 2, 3, 1, 5, 2])
    repeated = np.corrcoef(np.repeat(x, weights), np.repeat(y, weights))[0, 1]
    assert weighted_correlation(x, y, weights) == pytest.approx(repeated)
    x[1] = np.nan
    weights[1] = 0
    assert np.isfinite(weighted_correlation(x, y, weights))
