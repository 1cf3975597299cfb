"""Calibration of the predicted class, from confidences and correctness, under any weights.

A weight says how often a sample counts: once in the test set itself, any number of times in a
resample of it. So an estimate and its bootstrap interval come from one formula.
Shape legend: R = rows of weights, N = samples, B = bins, U = distinct confidences.
"""

from typing import NamedTuple

import numpy as np

# Gaps below it are rounding, not over- or underconfidence.
ROUNDING = 1e-12


class TopLabel(NamedTuple):
    """Each sample's prediction: its probability, and whether it is the label."""

    confidence_N: np.ndarray
    correct_N: np.ndarray


def equal_width_edges(num_bins: int) -> np.ndarray:
    """The B + 1 edges of equal bins on [0, 1].

    Raises:
        ValueError: num_bins < 1.
    """
    if num_bins < 1:
        raise ValueError(f'Expected num_bins >= 1, got {num_bins}.')
    # i / n is the double nearest to the edge, so a confidence written as 0.2 meets the edge 3/15.
    return np.arange(num_bins + 1) / num_bins


def bin_index(confidence: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The bin of each confidence: closed on the right, 0 in the first."""
    return np.searchsorted(edges[1:-1], confidence, side='left')


def equal_width_errors(
    top: TopLabel, weights_RN: np.ndarray, num_bins: int = 15
) -> dict[str, np.ndarray]:
    """`ece`, `ece_l2`, `mce` and `overconfidence` under each row of weights, each (R,).

    `overconfidence` is the share of the ECE that comes from bins whose confidence exceeds their
    accuracy: 1 where all of it does, 0 where none does or the ECE is 0.
    """
    index_N = bin_index(top.confidence_N, equal_width_edges(num_bins))
    member_NB = (index_N[:, None] == np.arange(num_bins)).astype(np.float64)
    gap_N = top.correct_N - top.confidence_N
    total_R1 = weights_RN.sum(axis=1, keepdims=True)
    share_RB = weights_RN @ member_NB / total_R1
    gap_RB = weights_RN @ (member_NB * gap_N[:, None]) / total_R1
    mean_gap_RB = _ratio(gap_RB, share_RB)
    ece_R = np.abs(gap_RB).sum(axis=1)
    over_R = np.where(gap_RB < -ROUNDING, -gap_RB, 0.0).sum(axis=1)
    return {
        'ece': ece_R,
        'ece_l2': np.sqrt((share_RB * mean_gap_RB**2).sum(axis=1)),
        'mce': np.abs(mean_gap_RB).max(axis=1),
        'overconfidence': _ratio(over_R, ece_R),
    }


def equal_mass_error(top: TopLabel, weights_RN: np.ndarray, num_bins: int = 15) -> np.ndarray:
    """ECE over bins that hold equally many samples under each row of weights, (R,).

    Every edge is a confidence that occurs: bin b ends at the ceil(b * N / B)-th smallest, so equal
    confidences share a bin.
    """
    equal_width_edges(num_bins)  # raises where there are no bins
    _, index_N = np.unique(top.confidence_N, return_inverse=True)
    count_RU = _sum_by(weights_RN, index_N)
    gap_RU = _sum_by(weights_RN * (top.correct_N - top.confidence_N), index_N)
    passed_RU, reached_RU = np.cumsum(count_RU, axis=1), np.cumsum(gap_RU, axis=1)
    errors = []
    for passed_U, reached_U in zip(passed_RU, reached_RU, strict=True):
        ends_B = -(-np.arange(1, num_bins + 1) * passed_U[-1] // num_bins)
        last_B = np.searchsorted(passed_U, ends_B, side='left')
        gap_B = np.diff(reached_U[last_B], prepend=0.0)
        errors.append(np.abs(gap_B).sum() / passed_U[-1])
    return np.array(errors)


def risk_coverage_area(top: TopLabel, weights_RN: np.ndarray) -> np.ndarray:
    """Area under the risk-coverage curve (AURC) for each row of whole-number weights, (R,).

    The mean, over n = 1 .. N, of the error rate among the n most confident samples. Samples of
    equal confidence have no order: the mean is also over all orders of them.
    """
    _, index_N = np.unique(-top.confidence_N, return_inverse=True)
    count_RU = _sum_by(weights_RN, index_N)
    error_RU = _sum_by(weights_RN * (1.0 - top.correct_N), index_N)
    before_RU = np.cumsum(count_RU, axis=1) - count_RU
    errors_before_RU = np.cumsum(error_RU, axis=1) - error_RU
    rate_RU = _ratio(error_RU, count_RU)
    # Among the first `before + j` samples there are `errors_before + rate * j` errors, in the mean
    # over orders; the sum over j of their ratio has the harmonic numbers in it.
    total_R = count_RU.sum(axis=1)
    harmonic = np.append(0.0, np.cumsum(1.0 / np.arange(1, total_R.max() + 1)))
    first_RU, last_RU = (np.rint(x).astype(np.int64) for x in (before_RU, before_RU + count_RU))
    span_RU = harmonic[last_RU] - harmonic[first_RU]
    area_RU = rate_RU * count_RU + (errors_before_RU - rate_RU * before_RU) * span_RU
    return area_RU.sum(axis=1) / total_R


def weighted_mean(values_N: np.ndarray, weights_RN: np.ndarray) -> np.ndarray:
    """Mean of the values under each row of weights, (R,)."""
    return weights_RN @ values_N / weights_RN.sum(axis=1)


def _sum_by(values_RN: np.ndarray, index_N: np.ndarray) -> np.ndarray:
    """Sums over the samples of each index, (R, U); every index from 0 to U - 1 occurs."""
    order = np.argsort(index_N, kind='stable')
    starts = np.flatnonzero(np.diff(index_N[order], prepend=-1))
    return np.add.reduceat(values_RN[:, order], starts, axis=1)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Quotient; 0 where the divisor is 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
