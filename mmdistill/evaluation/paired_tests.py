"""Two models on the same clips: who is right where, and whether that is more than chance.

Shape legend: N = clips, S = seeds (trainings), K = classes.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..extras import require


class McNemar(NamedTuple):
    """Clips on which exactly one of two models is right, and McNemar's test on them."""

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first_N: NDArray[Any], second_N: NDArray[Any]) -> McNemar:
    """McNemar's test in its exact, two-sided form: are both models right equally often?

    McNemar, *Note on the sampling error of the difference between correlated proportions*, 1947.
    It takes clips for independent, which those of one video are not: where there are several
    clips per video the bootstrap over videos is the safer answer.

    Args:
        first_N: Whether the first model is right about each clip, bool.
        second_N: The same of the second.

    Raises:
        ValueError: The two are not of the same clips.
    """
    first_N, second_N = np.asarray(first_N, bool), np.asarray(second_N, bool)
    if first_N.shape != second_N.shape:
        raise ValueError(
            f'McNemar compares answers to the same clips, got {first_N.size} and {second_N.size}.'
        )
    only_first = int((first_N & ~second_N).sum())
    only_second = int((~first_N & second_N).sum())
    return McNemar(only_first, only_second, sign_test(only_first, only_second))


def sign_test(first: int, second: int) -> float:
    """Two-sided p-value of so uneven a division under a fair coin, exactly; 1 for none at all.

    Raises:
        ImportError: SciPy is not installed.
    """
    if first + second == 0:
        return 1.0
    require('report', 'scipy')
    from scipy.stats import binomtest

    return float(binomtest(first, first + second).pvalue)


def agreement(first_SN: NDArray[Any], second_SN: NDArray[Any]) -> float:
    """Share of clips that both name alike, averaged over all pairs of trainings.

    Args:
        first_SN: Predicted classes of each training of one model.
        second_SN: Those of the other; the numbers of trainings may differ.
    """
    return float(np.mean([np.mean(a == b) for a in first_SN for b in second_SN]))


def agreement_between_seeds(predicted_SN: NDArray[Any]) -> float | None:
    """As `agreement`, of a model with itself trained with another seed; None for one training."""
    pairs = list(itertools.combinations(predicted_SN, 2))
    return float(np.mean([np.mean(a == b) for a, b in pairs])) if pairs else None


def class_accuracies(
    correct_SN: NDArray[Any], labels_N: NDArray[Any], num_classes: int
) -> NDArray[Any]:
    """Accuracy on the clips of each class, (K,), averaged over seeds; NaN for absent classes."""
    count_K = np.bincount(labels_N, minlength=num_classes)
    right_K = np.bincount(labels_N, correct_SN.mean(axis=0), minlength=num_classes)
    return np.where(count_K > 0, right_K / np.maximum(count_K, 1), np.nan)


def confusion(
    predicted_SN: NDArray[Any], labels_N: NDArray[Any], num_classes: int
) -> NDArray[np.float64]:
    """Clips of each class (rows) by the class that they were named, (K, K), averaged over seeds."""
    counts_KK = np.zeros((num_classes, num_classes))
    for predicted_N in predicted_SN:
        np.add.at(counts_KK, (labels_N, predicted_N), 1)
    return counts_KK / len(predicted_SN)
