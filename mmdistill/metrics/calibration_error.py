"""Calibration: how well a model's confidence agrees with how often it is right.

Bins are equal-width on [0, 1] and closed on the right, (0, 1/15], ..., (14/15, 1]; confidence 0
belongs to the first. Everything is computed in float64; logarithms are natural.
Shape legend: N = samples, K = classes, B = bins.
"""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from .score_arrays import Array, as_float64, checked_probabilities, checked_scores, log_softmax

Norm: TypeAlias = Literal['l1', 'l2', 'max']


class TopLabel(NamedTuple):
    """Each sample's prediction: its probability, and whether it is the label."""

    confidence_N: np.ndarray
    correct_N: np.ndarray


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
    return binned_error(top_label(probs_NK, labels_N), num_bins, norm)


def adaptive_ece(probs_NK: Array, labels_N: Array, num_bins: int = 15) -> float:
    """ECE over bins that hold equally many samples; equal confidences stay in one bin.

    Nguyen and O'Connor, 2015 (https://arxiv.org/abs/1508.05154); as in Mukhoti et al., 2020
    (https://arxiv.org/abs/2002.09437), on the predicted class.
    """
    return adaptive_binned_error(top_label(probs_NK, labels_N), num_bins)


def classwise_ece(probs_NK: Array, labels_N: Array, num_bins: int = 15) -> float:
    """Mean over the K classes of the ECE of `probs[:, k]` against `labels == k`.

    Kull et al., *Beyond temperature scaling*, 2019, eq. 3. https://arxiv.org/abs/1910.12656
    """
    probs_NK, labels_N = checked_probabilities(probs_NK, labels_N)
    return classwise_gaps(probs_NK, labels_N, num_bins) / probs_NK.shape[1]


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


def reliability_bins(probs_NK: Array, labels_N: Array, num_bins: int = 15) -> ReliabilityBins:
    """Mean confidence, accuracy and count of every bin of the confidence."""
    return bin_top_label(top_label(probs_NK, labels_N), num_bins)


def top_label(probs_NK: Array, labels_N: Array) -> TopLabel:
    """Confidence and correctness of each sample's arg-max."""
    probs_NK, labels_N = checked_probabilities(probs_NK, labels_N)
    return TopLabel(probs_NK.max(axis=1), probs_NK.argmax(axis=1) == labels_N)


def bin_top_label(top: TopLabel, num_bins: int = 15) -> ReliabilityBins:
    """As `reliability_bins`, from confidences and correctness."""
    edges = _equal_width_edges(num_bins)
    index_N = _bin_index(top.confidence_N, edges)
    count_B = np.bincount(index_N, minlength=num_bins)
    filled_B = np.where(count_B > 0, count_B, np.nan)
    confidence_B = np.bincount(index_N, top.confidence_N, num_bins) / filled_B
    accuracy_B = np.bincount(index_N, top.correct_N, num_bins) / filled_B
    return ReliabilityBins(edges, confidence_B, accuracy_B, count_B)


def binned_error(top: TopLabel, num_bins: int = 15, norm: Norm = 'l1') -> float:
    """As `expected_calibration_error`, from confidences and correctness."""
    bins = bin_top_label(top, num_bins)
    filled_B = bins.count_B > 0
    gap_B = np.abs(bins.accuracy_B - bins.confidence_B)[filled_B]
    weight_B = bins.count_B[filled_B] / len(top.confidence_N)
    if norm == 'l1':
        return float((weight_B * gap_B).sum())
    if norm == 'l2':
        return float(np.sqrt((weight_B * gap_B**2).sum()))
    if norm == 'max':
        return float(gap_B.max())
    raise ValueError(f"Expected norm 'l1', 'l2' or 'max', got {norm!r}.")


def adaptive_binned_error(top: TopLabel, num_bins: int = 15) -> float:
    """As `adaptive_ece`, from confidences and correctness."""
    _equal_width_edges(num_bins)
    ordered_N = np.sort(as_float64(top.confidence_N))
    # Every edge is a confidence that occurs: bin b ends at the ceil(b * N / B)-th smallest.
    ends = -(-np.arange(1, num_bins + 1) * len(ordered_N) // num_bins)
    edges = np.unique(ordered_N[ends - 1])
    index_N = np.searchsorted(edges, top.confidence_N, side='left')
    gap_B = np.bincount(index_N, top.correct_N - top.confidence_N)
    return float(np.abs(gap_B).sum() / len(ordered_N))


def classwise_gaps(probs_NK: np.ndarray, labels_N: np.ndarray, num_bins: int = 15) -> float:
    """Sum over classes of their binary ECE; a label of -1 belongs to none of the classes."""
    num_samples, num_classes = probs_NK.shape
    edges = _equal_width_edges(num_bins)
    # A row has fewer than B entries above the first bin: only those need to be looked up.
    above_NK = probs_NK > edges[1]
    rows, classes = np.nonzero(above_NK)
    values = probs_NK[rows, classes]
    bins = num_bins * classes + _bin_index(values, edges)
    gap = np.zeros(num_bins * num_classes)
    gap += np.bincount(bins, values, len(gap))
    gap[::num_bins] += probs_NK.sum(axis=0, where=~above_NK)
    rows = np.flatnonzero(labels_N >= 0)
    bins = num_bins * labels_N[rows] + _bin_index(probs_NK[rows, labels_N[rows]], edges)
    gap -= np.bincount(bins, minlength=len(gap))
    return float(np.abs(gap).sum() / num_samples)


def _equal_width_edges(num_bins: int) -> np.ndarray:
    if num_bins < 1:
        raise ValueError(f'Expected num_bins >= 1, got {num_bins}.')
    # i / n is the double nearest to the edge, so a confidence written as 0.2 meets the edge 3/15.
    return np.arange(num_bins + 1) / num_bins


def _bin_index(confidence: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.searchsorted(edges[1:-1], confidence, side='left')
