"""McNemar's test against SciPy, and the counts beside it against ones made by hand."""

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import confusion_matrix

from mmdistill.evaluation.paired_tests import (
    agreement,
    agreement_between_seeds,
    class_accuracies,
    confusion,
    mcnemar,
    sign_test,
)


@pytest.mark.parametrize(('first', 'second'), [(0, 0), (3, 3), (0, 5), (9, 1), (140, 101), (7, 8)])
def test_the_sign_test_is_the_binomial_one(first, second):
    expected = scipy.stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert sign_test(first, second) == sign_test(second, first) == pytest.approx(expected, rel=1e-9)


def test_thousands_of_clips_need_no_approximation():
    expected = scipy.stats.binomtest(4200, 8600).pvalue
    assert sign_test(4200, 4400) == pytest.approx(expected, rel=1e-6)


def test_mcnemar_counts_clips_on_which_one_alone_is_right():
    first = np.array([1, 1, 1, 0, 0, 1], bool)
    second = np.array([1, 0, 0, 1, 0, 0], bool)
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (3, 1)
    assert found.p_value == pytest.approx(2 * (1 + 4) / 16)
    with pytest.raises(ValueError, match='same clips, got 6 and 5'):
        mcnemar(first, second[1:])


def test_agreement_is_over_all_pairs_of_trainings():
    first = np.array([[0, 1, 2, 3], [0, 1, 0, 0]])
    second = np.array([[0, 1, 2, 0]])
    assert agreement(first, second) == pytest.approx((3 / 4 + 3 / 4) / 2)
    assert agreement_between_seeds(first) == pytest.approx(1 / 2)
    assert agreement_between_seeds(second) is None


def test_confusions_and_accuracies_by_class_are_means_over_seeds():
    generator = np.random.default_rng(0)
    labels, predicted = generator.integers(0, 4, 50), generator.integers(0, 5, (3, 50))
    expected = np.mean([confusion_matrix(labels, p, labels=range(5)) for p in predicted], axis=0)
    np.testing.assert_allclose(confusion(predicted, labels, 5), expected)
    found = class_accuracies(predicted == labels, labels, 5)
    np.testing.assert_allclose(found[:4], np.diag(expected)[:4] / np.bincount(labels))
    assert np.isnan(found[4])
