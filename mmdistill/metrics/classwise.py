"""Class-wise calibration error of any number of classes, without an (N, K) array.

Nearly all probabilities of many classes lie in the first bin, of which the sum is all that counts.
The few above it, at most B - 1 of a sample, are kept one by one.
Shape legend: R = rows of weights, N = samples, G = groups, K = classes, B = bins, E = entries.
"""

from typing import NamedTuple

import numpy as np

from .bootstrap import Resamples
from .weighted_errors import bin_index, equal_width_edges


class ClassEntries(NamedTuple):
    """The probabilities above the first bin."""

    sample_E: np.ndarray
    class_E: np.ndarray
    prob_E: np.ndarray


class LabelEntries(NamedTuple):
    """Each sample's label and the probability it was given."""

    label_N: np.ndarray
    prob_N: np.ndarray


def classwise_errors(
    sums_GK: np.ndarray,
    above: ClassEntries,
    labels: LabelEntries,
    resamples: Resamples,
    num_bins: int = 15,
) -> np.ndarray:
    """Mean over the classes of the ECE of p(k) against `label == k`, for each resample, (R,).

    Args:
        sums_GK: Sum of every class's probability over the samples of each group.
        above: The probabilities that exceed 1 / B.
        labels: Labels and their probabilities.
        resamples: Which groups count how often.
        num_bins: B, equal bins of [0, 1].
    """
    edges, num_classes = equal_width_edges(num_bins), sums_GK.shape[1]
    sample_E = np.concatenate([above.sample_E, np.arange(len(labels.label_N))])
    class_E = np.concatenate([above.class_E, labels.label_N])
    value_E = np.concatenate([above.prob_E, np.full(len(labels.label_N), -1.0)])
    bin_E = bin_index(np.concatenate([above.prob_E, labels.prob_N]), edges)
    # Sums minus hits of the cells (class, bin) that hold anything, the first bins apart.
    _, cell_E = np.unique(num_bins * class_E + bin_E, return_inverse=True)
    inner_E = bin_E > 0
    errors = []
    for part in resamples.parts():
        for draws_G, weights_N in zip(part.draws_RG, part.weights(), strict=True):
            gap_E = weights_N[sample_E] * value_E
            gaps = np.bincount(cell_E[inner_E], gap_E[inner_E])
            # What is above the first bin is in the sums, too; a label in it is a hit there.
            in_first_E = np.where(inner_E, -np.maximum(gap_E, 0.0), gap_E)
            first_K = draws_G @ sums_GK + np.bincount(class_E, in_first_E, num_classes)
            total = weights_N.sum() * num_classes
            errors.append((np.abs(gaps).sum() + np.abs(first_K).sum()) / total)
    return np.array(errors)
