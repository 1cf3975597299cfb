"""Bootstrap intervals for clips that come in groups (videos).

Clips of one video look alike, so they are drawn together: whole videos with replacement.
Davison & Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8, with percentile
intervals.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Shape legend: N = clips, R = resamples, S = seeds (trainings).


class Interval(NamedTuple):
    """An estimate with its bootstrap interval."""

    mean: float
    low: float
    high: float


def cluster_weights(groups_N: Sequence, num_resamples: int, seed: int = 0) -> NDArray[np.float64]:
    """How often each clip occurs in each resample of the groups.

    Returns:
        (R, N) counts; clips of one group always have the same count.

    Raises:
        ValueError: if there are fewer than two groups, which say nothing about the spread.
    """
    names, index_N = np.unique(np.asarray(groups_N), return_inverse=True)
    if len(names) < 2:
        raise ValueError(
            f'A bootstrap over groups needs at least two of them, got {len(names)}; '
            'test on clips of several videos.'
        )
    generator = np.random.default_rng(seed)
    draws = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), num_resamples)
    return draws[:, index_N].astype(np.float64)


def paired_mean_interval(
    differences_SN: NDArray,
    groups_N: Sequence,
    num_resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Mean of per-clip differences, pooled over seeds, with its interval over groups.

    Args:
        differences_SN: For each training and clip, value of one model minus value of the other,
            such as 1 where only the student is right, -1 where only the baseline is.
        groups_N: The group (video) of each clip.
        num_resamples: Number of resamples.
        level: Coverage of the interval, in (0, 1).
        seed: Seed of the draws.
    """
    differences_SN = np.atleast_2d(np.asarray(differences_SN, dtype=np.float64))
    weights_RN = cluster_weights(groups_N, num_resamples, seed)
    _check_clips(differences_SN, weights_RN)
    values_R = weights_RN @ differences_SN.mean(axis=0) / weights_RN.sum(axis=1)
    return _percentile_interval(float(differences_SN.mean()), values_R, level)


def paired_ece_interval(
    first: tuple[NDArray, NDArray],
    second: tuple[NDArray, NDArray],
    groups_N: Sequence,
    num_resamples: int = 2_000,
    level: float = 0.95,
    num_bins: int = 15,
    seed: int = 0,
) -> Interval:
    """ECE of the first model minus ECE of the second, averaged over seeds.

    Args:
        first: Confidences and correctness, each (S, N), of one model.
        second: The same of the other, for the same clips.
        groups_N: The group (video) of each clip.
        num_resamples: Number of resamples.
        level: Coverage of the interval, in (0, 1).
        num_bins: Equal bins of (0, 1], closed on the right.
        seed: Seed of the draws.
    """
    weights_RN = cluster_weights(groups_N, num_resamples, seed)
    ones_1N = np.ones((1, weights_RN.shape[1]))

    def difference(weights: NDArray) -> NDArray:
        return weighted_ece(*first, weights, num_bins) - weighted_ece(*second, weights, num_bins)

    return _percentile_interval(float(difference(ones_1N)[0]), difference(weights_RN), level)


def weighted_ece(
    confidences_SN: NDArray, correct_SN: NDArray, weights_RN: NDArray, num_bins: int = 15
) -> NDArray[np.float64]:
    """Expected calibration error under each row of weights, averaged over seeds.

    Returns:
        (R,) values in [0, 1].
    """
    confidences_SN = np.atleast_2d(np.asarray(confidences_SN, dtype=np.float64))
    correct_SN = np.atleast_2d(np.asarray(correct_SN, dtype=np.float64))
    _check_clips(confidences_SN, weights_RN)
    total_R = np.zeros(len(weights_RN))
    for confidences_N, correct_N in zip(confidences_SN, correct_SN, strict=True):
        bins_N = confidence_bins(confidences_N, num_bins)
        membership_NB = bins_N[:, None] == np.arange(num_bins)
        gap_RB = weights_RN @ (membership_NB * (confidences_N - correct_N)[:, None])
        total_R += np.abs(gap_RB).sum(axis=1) / weights_RN.sum(axis=1)
    return total_R / len(confidences_SN)


def confidence_bins(confidences: NDArray, num_bins: int = 15) -> NDArray[np.int64]:
    """Index of each confidence's bin: equal bins of (0, 1], closed on the right, 0 in the first."""
    inner_edges = np.arange(1, num_bins) / num_bins
    return np.searchsorted(inner_edges, confidences, side='left')


def _percentile_interval(mean: float, values_R: NDArray, level: float) -> Interval:
    if not 0 < level < 1:
        raise ValueError(f'The level of an interval lies in (0, 1), got {level}; usual is 0.95.')
    low, high = np.quantile(values_R, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high))


def _check_clips(values_SN: NDArray, weights_RN: NDArray) -> None:
    if values_SN.shape[1] != weights_RN.shape[1]:
        raise ValueError(
            f'{values_SN.shape[1]} values for {weights_RN.shape[1]} clips; '
            'both models must be tested on the same clips, in the same order.'
        )
