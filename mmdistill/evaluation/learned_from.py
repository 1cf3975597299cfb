"""Where a student gained over its baseline, and which expert knew the answers there.

Shape legend: N = clips, S = seeds (trainings), K = classes.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .paired_tests import class_accuracies


class LearnedFrom(NamedTuple):
    """How much of a student's gain an expert explains.

    Attributes:
        known_of_gained: Of the clips that the student has right and the baseline had wrong, the
            share that the expert has right; None if nothing was gained.
        known_of_wrong: The same of all clips that the baseline had wrong. Only a larger
            `known_of_gained` says that the student has learned what this expert knows.
        correlation: Of gain by class with the expert's advantage over the baseline, weighted by
            the number of clips; None where either is the same for all classes.
        advantage_K: The expert's accuracy minus the baseline's, by class.
    """

    known_of_gained: float | None
    known_of_wrong: float | None
    correlation: float | None
    advantage_K: NDArray[Any]


def learned_from(
    baseline_SN: NDArray[Any],
    student_SN: NDArray[Any],
    expert_SN: NDArray[Any],
    labels_N: NDArray[Any],
    num_classes: int,
) -> LearnedFrom:
    """Compare a student's gain with what an expert knows; all as correctness, bool.

    The numbers of trainings may differ; clips count by the share of them that are right.
    """
    baseline_N, student_N, expert_N = (x.mean(axis=0) for x in (baseline_SN, student_SN, expert_SN))
    # Trainings with different seeds are independent: a clip is gained by so many of their pairs.
    gained_N, wrong_N = (1 - baseline_N) * student_N, 1 - baseline_N
    if len(baseline_SN) == len(student_SN):
        gained_N = (~baseline_SN & student_SN).mean(axis=0)
    baseline_K, student_K, expert_K = (
        class_accuracies(x, labels_N, num_classes) for x in (baseline_SN, student_SN, expert_SN)
    )
    advantage_K = expert_K - baseline_K
    count_K = np.bincount(labels_N, minlength=num_classes)
    return LearnedFrom(
        known_of_gained=_share(expert_N, gained_N),
        known_of_wrong=_share(expert_N, wrong_N),
        correlation=weighted_correlation(advantage_K, student_K - baseline_K, count_K),
        advantage_K=advantage_K,
    )


def weighted_correlation(
    x_K: NDArray[Any], y_K: NDArray[Any], weights_K: NDArray[Any]
) -> float | None:
    """Pearson's correlation; entries of weight 0 do not count. None if x or y never varies."""
    there_K = weights_K > 0
    x_K, y_K, weights_K = x_K[there_K], y_K[there_K], weights_K[there_K]
    x_K, y_K = (v - np.average(v, weights=weights_K) for v in (x_K, y_K))
    spread = np.sqrt((weights_K * x_K**2).sum() * (weights_K * y_K**2).sum())
    return float((weights_K * x_K * y_K).sum() / spread) if spread > 1e-12 else None


def _share(known_N: NDArray[Any], counted_N: NDArray[Any]) -> float | None:
    total = counted_N.sum()
    return float((known_N * counted_N).sum() / total) if total > 0 else None
