"""Calibration functions against scikit-learn, SciPy, brute force and cases worked by hand."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import sklearn.metrics
import torch

from mmdistill.metrics import (
    adaptive_ece,
    area_under_risk_coverage,
    brier_score,
    classwise_ece,
    expected_calibration_error,
    log_softmax,
    negative_log_likelihood,
    overconfidence_share,
    reliability_bins,
)


def random_probs(num_samples, num_classes, seed=0, sharpness=2.0):
    rng = np.random.default_rng(seed)
    logits = sharpness * rng.standard_normal((num_samples, num_classes))
    labels = (logits + 2 * rng.standard_normal(logits.shape)).argmax(axis=1)
    return scipy.special.softmax(logits, axis=1), labels


def brute_force_gaps(confidence, correct, num_bins):
    """(weight, |accuracy - confidence|) of every bin that is not empty, one sample at a time."""
    gaps = []
    for b in range(num_bins):
        low, high = b / num_bins, (b + 1) / num_bins
        members = [i for i, c in enumerate(confidence) if low < c <= high or (b == 0 and c == 0)]
        if members:
            accuracy = sum(bool(correct[i]) for i in members) / len(members)
            mean = sum(float(confidence[i]) for i in members) / len(members)
            gaps.append((len(members) / len(confidence), abs(accuracy - mean)))
    return gaps


def brute_force_ece(confidence, correct, num_bins, norm='l1'):
    gaps = brute_force_gaps(confidence, correct, num_bins)
    if norm == 'max':
        return max(gap for _, gap in gaps)
    power = {'l1': 1, 'l2': 2}[norm]
    return sum(weight * gap**power for weight, gap in gaps) ** (1 / power)


@pytest.mark.parametrize('norm', ['l1', 'l2', 'max'])
@pytest.mark.parametrize(('num_samples', 'num_classes'), [(200, 2), (200, 11), (40, 3806), (1, 5)])
def test_ece_is_the_brute_force_one(num_samples, num_classes, norm):
    probs, labels = random_probs(num_samples, num_classes, sharpness=4.0)
    expected = brute_force_ece(probs.max(1), probs.argmax(1) == labels, 15, norm)
    assert expected_calibration_error(probs, labels, norm=norm) == pytest.approx(
        expected, abs=1e-12
    )


def test_ece_worked_by_hand():
    # Bins of 1/2: {0.5, right} gap 0.5; {0.9 wrong, 0.7 right} accuracy 0.5, confidence 0.8.
    probs = np.array([[0.5, 0.25, 0.25], [0.9, 0.1, 0.0], [0.2, 0.7, 0.1]])
    labels = np.array([0, 1, 1])
    assert expected_calibration_error(probs, labels, 2) == pytest.approx((0.5 + 2 * 0.3) / 3)
    assert expected_calibration_error(probs, labels, 2, 'max') == pytest.approx(0.5)
    l2 = np.sqrt((0.5**2 + 2 * 0.3**2) / 3)
    assert expected_calibration_error(probs, labels, 2, 'l2') == pytest.approx(l2)


def test_bins_are_closed_on_the_right_and_hold_both_ends():
    bins = reliability_bins(np.array([[0.6, 0.4], [1.0, 0.0], [0.8, 0.2]]), np.array([0, 0, 1]), 5)
    assert bins.count_B.tolist() == [0, 0, 1, 1, 1]
    assert np.isnan(bins.confidence_B[:2]).all()
    assert np.isnan(bins.accuracy_B[:2]).all()
    assert bins.confidence_B[2:].tolist() == [0.6, 0.8, 1.0]
    assert bins.accuracy_B[2:].tolist() == [1, 0, 1]


@pytest.mark.parametrize('edge', range(1, 16))
def test_a_confidence_on_an_edge_belongs_to_the_bin_below(edge):
    rest = np.full(20, (1 - edge / 15) / 20)
    bins = reliability_bins(np.array([[edge / 15, *rest]]), np.array([0]))
    assert bins.count_B[edge - 1] == 1


def test_class_probability_zero_belongs_to_the_first_bin():
    probs, labels = np.array([[1.0, 0.0]]), np.array([0])
    assert classwise_ece(probs, labels) == 0
    assert classwise_ece(probs, np.array([1])) == pytest.approx(1)


def test_confidence_one_is_perfect_or_fully_wrong():
    probs = np.eye(3)[[0, 1, 2]]
    assert expected_calibration_error(probs, np.array([0, 1, 2])) == 0
    assert expected_calibration_error(probs, np.array([1, 2, 0])) == 1


def test_uniform_prediction_over_two_classes_is_calibrated():
    probs, labels = np.full((4, 2), 0.5), np.array([0, 1, 0, 1])
    assert expected_calibration_error(probs, labels) == 0
    assert adaptive_ece(probs, labels) == 0
    assert negative_log_likelihood(np.log(probs), labels) == pytest.approx(np.log(2))


def test_metrics_do_not_depend_on_the_order_of_samples():
    probs, labels = random_probs(101, 4)
    order = np.random.default_rng(1).permutation(101)
    for function in (expected_calibration_error, adaptive_ece, classwise_ece, brier_score):
        assert function(probs[order], labels[order]) == pytest.approx(function(probs, labels))


def test_adaptive_ece_on_equal_counts_is_worked_by_hand():
    # Four samples, two bins: {0.5 right, 0.6 wrong}, {0.8 right, 0.9 right}.
    top = np.array([0.8, 0.5, 0.9, 0.6])
    probs = np.stack([top, 1 - top], axis=1)
    expected = (abs(1 - 1.1) + abs(2 - 1.7)) / 4
    assert adaptive_ece(probs, np.array([0, 0, 0, 1]), 2) == pytest.approx(expected)


@pytest.mark.parametrize('num_samples', [30, 37, 4])
def test_adaptive_ece_matches_splitting_the_sorted_samples(num_samples):
    probs, labels = random_probs(num_samples, 5)
    order = np.argsort(probs.max(1))
    gap = ((probs.argmax(1) == labels) - probs.max(1))[order]
    ends = [int(np.ceil(b * num_samples / 15)) for b in range(16)]
    expected = sum(abs(gap[a:b].sum()) for a, b in zip(ends, ends[1:], strict=False)) / num_samples
    assert adaptive_ece(probs, labels) == pytest.approx(expected)


def test_adaptive_ece_keeps_equal_confidences_together():
    probs = np.tile([0.75, 0.25], (40, 1))
    assert adaptive_ece(probs, np.array([0] * 30 + [1] * 10)) == pytest.approx(0)


@pytest.mark.parametrize('num_classes', [2, 7])
def test_classwise_ece_is_the_mean_of_binary_ones(num_classes):
    probs, labels = random_probs(150, num_classes)
    per_class = [brute_force_ece(probs[:, k], labels == k, 15) for k in range(num_classes)]
    assert classwise_ece(probs, labels) == pytest.approx(np.mean(per_class))


def test_classwise_ece_of_a_uniform_prediction_with_every_entry_in_the_first_bin():
    # The label's class is off by 1 - 1/K, each of the other classes by 1/K.
    probs = np.full((1, 3806), 1 / 3806)
    expected = ((1 - 1 / 3806) + 3805 / 3806) / 3806
    assert classwise_ece(probs, np.array([7])) == pytest.approx(expected)


@pytest.mark.parametrize('num_classes', [2, 9, 3806])
def test_nll_matches_sklearn_and_scipy(num_classes):
    probs, labels = random_probs(60, num_classes)
    expected = sklearn.metrics.log_loss(labels, probs, labels=np.arange(num_classes))
    assert negative_log_likelihood(np.log(probs), labels) == pytest.approx(expected)
    one_hot = np.eye(num_classes)
    entropy = [scipy.stats.entropy(one_hot[y], p) for y, p in zip(labels, probs, strict=True)]
    assert negative_log_likelihood(np.log(probs), labels) == pytest.approx(np.mean(entropy))


def test_nll_takes_logits_and_stays_finite_when_they_are_huge():
    logits = np.array([[5000.0, 0.0], [-1e4, 1e4]])
    assert negative_log_likelihood(logits, np.array([1, 1])) == pytest.approx(2500)
    assert negative_log_likelihood(log_softmax(logits), np.array([1, 1])) == pytest.approx(2500)


@pytest.mark.parametrize('num_classes', [2, 9])
def test_brier_score_matches_sklearn(num_classes):
    probs, labels = random_probs(60, num_classes)
    expected = sum(
        sklearn.metrics.brier_score_loss(labels == k, probs[:, k]) for k in range(num_classes)
    )
    assert brier_score(probs, labels) == pytest.approx(expected)


ERRORS = [
    expected_calibration_error,
    overconfidence_share,
    adaptive_ece,
    classwise_ece,
    brier_score,
    area_under_risk_coverage,
]


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize('function', [*ERRORS, negative_log_likelihood])
def test_tensors_of_any_precision_are_taken(function, dtype):
    probs, labels = random_probs(200, 6)
    tensor = torch.from_numpy(probs).to(dtype).requires_grad_()
    expected = function(tensor.detach().double().numpy(), labels)
    assert type(function(tensor, torch.from_numpy(labels))) is float
    assert function(tensor, torch.from_numpy(labels)) == expected


@pytest.mark.parametrize('num_classes', [2, 3806])
def test_one_sample_worked_by_hand(num_classes):
    # Confidence 0.6, the rest spread evenly, the answer wrong.
    rest = 0.4 / (num_classes - 1)
    probs = np.array([[0.6, *[rest] * (num_classes - 1)]])
    wrong = np.array([1])
    for norm in ('l1', 'l2', 'max'):
        assert expected_calibration_error(probs, wrong, norm=norm) == pytest.approx(0.6)
    assert adaptive_ece(probs, wrong) == pytest.approx(0.6)
    assert overconfidence_share(probs, wrong) == 1
    assert area_under_risk_coverage(probs, wrong) == 1
    others = 0.6 + (num_classes - 2) * rest
    assert classwise_ece(probs, wrong) == pytest.approx((others + 1 - rest) / num_classes)
    squares = 0.6**2 + (num_classes - 2) * rest**2 + (1 - rest) ** 2
    assert brier_score(probs, wrong) == pytest.approx(squares)
    assert negative_log_likelihood(np.log(probs), wrong) == pytest.approx(-np.log(rest))


def test_float32_and_float64_agree_where_float32_sums_would_drift():
    probs, labels = random_probs(50_000, 2)
    single = expected_calibration_error(probs.astype(np.float32), labels)
    assert single == pytest.approx(expected_calibration_error(probs, labels), abs=1e-6)


@pytest.mark.parametrize(
    ('probs', 'labels', 'message'),
    [
        ([[0.5, 0.5], [2.0, -3.0]], [0, 0], 'Row 1 is no probability distribution'),
        ([[0.5, 0.5], [np.nan, 0.5]], [0, 0], 'sample 1'),
        ([[0.5, 0.5], [np.inf, 0.5]], [0, 0], 'sample 1'),
        ([[0.5, 0.5], [0.5, 0.5]], [0, 2], 'Label 2 of sample 1'),
        ([[0.5, 0.5], [0.5, 0.5]], [-1, 1], 'Label -1 of sample 0'),
        ([[0.5, 0.5]], [0, 1], 'shape'),
        ([0.5, 0.5], [0, 1], 'shape'),
        ([[0.5, 0.5]], [0.0], 'integer'),
        (np.zeros((0, 2)), np.zeros(0, int), 'N, K > 0'),
    ],
)
@pytest.mark.parametrize('function', [expected_calibration_error, adaptive_ece, classwise_ece])
def test_bad_input_is_named(function, probs, labels, message):
    with pytest.raises(ValueError, match=message):
        function(np.array(probs), np.array(labels))


def test_unknown_norm_and_no_bins_are_errors():
    probs, labels = random_probs(3, 2)
    with pytest.raises(ValueError, match="'l1', 'l2' or 'max'"):
        expected_calibration_error(probs, labels, norm='l3')
    for function in (expected_calibration_error, adaptive_ece, classwise_ece, reliability_bins):
        with pytest.raises(ValueError, match='num_bins'):
            function(probs, labels, 0)
