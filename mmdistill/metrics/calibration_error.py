"""Calibration: how well a model's confidence agrees with how often it is right.

Bins are equal-width on [0, 1] and closed on the right, (0, 1/15], ..., (14/15, 1]; confidence 0
belongs to the first. Everything is computed in float64; logarithms are natural.
Shape legend: N = samples, K = classes, B = bins.
"""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from .bootstrap import every_clip_once
from .classwise import ClassEntries, LabelEntries, classwise_errors
from .score_arrays import Array, checked_probabilities, checked_scores, log_softmax
from .weighted_errors import (
    TopLabel,
    bin_index,
    equal_mass_error,
    equal_width_edges,
    equal_width_errors,
    risk_coverage_area,
)

Norm: TypeAlias = Literal['l1', 'l2', 'max']
NAMES = dict(l1='ece', l2='ece_l2', max='mce')


class ReliabilityBins(NamedTuple):
    """What a reliability diagram draws; confidence and accuracy are NaN in empty bins."""

    edges: np.ndarray  # (B + 1,) from 0 to 1
    confidence_B: np.ndarray  # mean confidence
    accuracy_B: np.ndarray  # fraction that is right
    count_B: np.ndarray  # number of samples, int64


def expected_calibration_error(
    probs_NK: Array, labels_N: Array, num_bins: int = 15, norm: Norm = 'l1'
) -> float:
    """Distance between confidence and accuracy over equal-width bins of the confidence.

    Guo et al., *On Calibration of Modern Neural Networks*, 2017, eq. 3 (l1) and 5 (max);
    l2 is the root of the weighted mean of squared gaps. https://arxiv.org/abs/1706.04599
    The prediction is the arg-max; among equal probabilities the lower class index counts.

    Args:
        probs_NK: Probabilities, every row sums to 1.
        labels_N: Class indices.
        num_bins: Number of bins.
        norm: 'l1' (ECE), 'l2', or 'max' (MCE, the largest gap of a bin that is not empty).

    Raises:
        ValueError: Rows that are no distributions, NaN, labels out of range (naming the sample),
            an unknown norm, or num_bins < 1.
    """
    if norm not in NAMES:
        raise ValueError(f"Expected norm 'l1', 'l2' or 'max', got {norm!r}.")
    return _equal_width(probs_NK, labels_N, num_bins, NAMES[norm])


def overconfidence_share(probs_NK: Array, labels_N: Array, num_bins: int = 15) -> float:
    """Share of the ECE (l1) that comes from bins whose confidence exceeds their accuracy.

    1: every wrong confidence is too high; 0: too low, or the ECE is 0.
    """
    return _equal_width(probs_NK, labels_N, num_bins, 'overconfidence')


def adaptive_ece(probs_NK: Array, labels_N: Array, num_bins: int = 15) -> float:
    """ECE over bins that hold equally many samples; equal confidences stay in one bin.

    Nguyen and O'Connor, 2015 (https://arxiv.org/abs/1508.05154); as in Mukhoti et al., 2020
    (https://arxiv.org/abs/2002.09437), on the predicted class.
    """
    top = top_label(probs_NK, labels_N)
    return float(equal_mass_error(top, _once(top), num_bins)[0])


def classwise_ece(probs_NK: Array, labels_N: Array, num_bins: int = 15) -> float:
    """Mean over the K classes of the ECE of `probs[:, k]` against `labels == k`.

    Kull et al., *Beyond temperature scaling*, 2019, eq. 3. https://arxiv.org/abs/1910.12656
    """
    probs_NK, labels_N = checked_probabilities(probs_NK, labels_N)
    rows, classes = np.nonzero(probs_NK > equal_width_edges(num_bins)[1])
    above = ClassEntries(rows, classes, probs_NK[rows, classes])
    labels = LabelEntries(labels_N, probs_NK[np.arange(len(labels_N)), labels_N])
    once = every_clip_once(np.zeros(len(labels_N)))
    sums_1K = probs_NK.sum(axis=0, keepdims=True)
    return float(classwise_errors(sums_1K, above, labels, once, num_bins)[0])


def negative_log_likelihood(logits_NK: Array, labels_N: Array) -> float:
    """Mean of -log softmax(logits)[label] in nats.

    Log-probabilities may be passed as well: log-softmax leaves them as they are. Probabilities
    may not; take their logarithm first.
    """
    logits_NK, labels_N = checked_scores(logits_NK, labels_N)
    log_probs_NK = log_softmax(logits_NK)
    return float(-np.take_along_axis(log_probs_NK, labels_N[:, None], axis=1).mean())


def brier_score(probs_NK: Array, labels_N: Array) -> float:
    """Mean squared distance of the probabilities to the one-hot label, between 0 and 2.

    Brier, 1950: summed over classes, without the factor 1/2 or 1/K that some libraries apply.
    """
    probs_NK, labels_N = checked_probabilities(probs_NK, labels_N)
    target_N = np.take_along_axis(probs_NK, labels_N[:, None], axis=1)[:, 0]
    return float(((probs_NK**2).sum(axis=1) - 2 * target_N + 1).mean())


def area_under_risk_coverage(probs_NK: Array, labels_N: Array) -> float:
    """AURC: the mean error rate of a model that answers only where it is most confident.

    Geifman et al., *Bias-Reduced Uncertainty Estimation*, 2019, sec. 3
    (https://arxiv.org/abs/1805.08206): over every number of answers from 1 to N; among equal
    confidences, over all orders.
    """
    top = top_label(probs_NK, labels_N)
    return float(risk_coverage_area(top, _once(top))[0])


def reliability_bins(probs_NK: Array, labels_N: Array, num_bins: int = 15) -> ReliabilityBins:
    """Mean confidence, accuracy and count of every bin of the confidence."""
    return bin_top_label(top_label(probs_NK, labels_N), num_bins)


def top_label(probs_NK: Array, labels_N: Array) -> TopLabel:
    """Confidence and correctness of each sample's arg-max."""
    probs_NK, labels_N = checked_probabilities(probs_NK, labels_N)
    return TopLabel(probs_NK.max(axis=1), probs_NK.argmax(axis=1) == labels_N)


def bin_top_label(top: TopLabel, num_bins: int = 15) -> ReliabilityBins:
    """As `reliability_bins`, from confidences and correctness."""
    edges = equal_width_edges(num_bins)
    index_N = bin_index(top.confidence_N, edges)
    count_B = np.bincount(index_N, minlength=num_bins)
    filled_B = np.where(count_B > 0, count_B, np.nan)
    confidence_B = np.bincount(index_N, top.confidence_N, num_bins) / filled_B
    accuracy_B = np.bincount(index_N, top.correct_N, num_bins) / filled_B
    return ReliabilityBins(edges, confidence_B, accuracy_B, count_B)


def _equal_width(probs_NK: Array, labels_N: Array, num_bins: int, name: str) -> float:
    top = top_label(probs_NK, labels_N)
    return float(equal_width_errors(top, _once(top), num_bins)[name][0])


def _once(top: TopLabel) -> np.ndarray:
    return np.ones((1, len(top.confidence_N)))
