"""Paired bootstrap intervals over groups of clips (videos), for differences of two models.

Shape legend: N = clips, R = resamples, S = seeds (trainings).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics.bootstrap import Interval, cluster_weights, percentile_interval
from ..metrics.weighted_errors import TopLabel, equal_width_errors


def paired_mean_interval(
    differences_SN: NDArray[Any],
    groups_N: Sequence[Any] | NDArray[Any],
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
    return percentile_interval(float(differences_SN.mean()), values_R, level)


def paired_ece_interval(
    first: tuple[NDArray[Any], NDArray[Any]],
    second: tuple[NDArray[Any], NDArray[Any]],
    groups_N: Sequence[Any] | NDArray[Any],
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

    def difference(weights: NDArray[Any]) -> NDArray[Any]:
        return weighted_ece(*first, weights, num_bins) - weighted_ece(*second, weights, num_bins)

    return percentile_interval(float(difference(ones_1N)[0]), difference(weights_RN), level)


def weighted_ece(
    confidences_SN: NDArray[Any],
    correct_SN: NDArray[Any],
    weights_RN: NDArray[Any],
    num_bins: int = 15,
) -> NDArray[np.float64]:
    """Expected calibration error under each row of weights, averaged over seeds.

    Returns:
        (R,) values in [0, 1].
    """
    confidences_SN = np.atleast_2d(np.asarray(confidences_SN, dtype=np.float64))
    correct_SN = np.atleast_2d(np.asarray(correct_SN, dtype=np.float64))
    _check_clips(confidences_SN, weights_RN)
    tops = [TopLabel(*pair) for pair in zip(confidences_SN, correct_SN, strict=True)]
    return np.mean([equal_width_errors(top, weights_RN, num_bins)['ece'] for top in tops], axis=0)


def _check_clips(values_SN: NDArray[Any], weights_RN: NDArray[Any]) -> None:
    if values_SN.shape[1] != weights_RN.shape[1]:
        raise ValueError(
            f'{values_SN.shape[1]} values for {weights_RN.shape[1]} clips; '
            'both models must be tested on the same clips, in the same order.'
        )
