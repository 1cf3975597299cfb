"""Scores and labels as checked float64 arrays: what every metric function starts from.

Shape legend: N = samples, K = classes.
"""

from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

Array: TypeAlias = np.ndarray | Tensor

# How far the sum of a row of probabilities may be from 1. Half-precision softmax outputs of a few
# thousand classes stay below it, logits and sigmoid scores do not.
SUM_TOLERANCE = 1e-2


def as_float64(values: Array) -> np.ndarray:
    """Copy a tensor (bfloat16 too, on any device) or an array to a float64 array."""
    if isinstance(values, Tensor):
        return values.detach().to('cpu', torch.float64).numpy()
    return np.asarray(values, dtype=np.float64)


def checked_scores(scores_NK: Array, labels_N: Array) -> tuple[np.ndarray, np.ndarray]:
    """Return scores as float64 and labels as int64 after checking both.

    Raises:
        ValueError: Wrong shapes, no samples, a NaN or infinite score, a label that is no class;
            the message names the first sample that is wrong by its index.
    """
    scores_NK = as_float64(scores_NK)
    labels_N = labels_N.detach().cpu().numpy() if isinstance(labels_N, Tensor) else labels_N
    labels_N = np.asarray(labels_N)
    if scores_NK.ndim != 2 or labels_N.shape != scores_NK.shape[:1] or not scores_NK.size:
        raise ValueError(
            'Expected scores of shape (N, K) and labels of shape (N,) with N, K > 0, '
            f'got {scores_NK.shape} and {labels_N.shape}.'
        )
    if labels_N.dtype.kind not in 'iu':
        raise ValueError(f'Expected class indices as integer labels, got {labels_N.dtype}.')
    finite_N = np.isfinite(scores_NK).all(axis=1)
    if not finite_N.all():
        raise ValueError(
            f'{(~finite_N).sum()} samples have NaN or infinite scores, the first is sample '
            f'{np.argmin(finite_N)}; look for divergence or overflow in the model.'
        )
    known_N = (labels_N >= 0) & (labels_N < scores_NK.shape[1])
    if not known_N.all():
        first = int(np.argmin(known_N))
        raise ValueError(
            f'Label {labels_N[first]} of sample {first} is outside the {scores_NK.shape[1]} '
            'classes of the scores; the model and the data set must have the same classes.'
        )
    return scores_NK, labels_N.astype(np.int64)


def checked_probabilities(probs_NK: Array, labels_N: Array) -> tuple[np.ndarray, np.ndarray]:
    """As `checked_scores`, and every row must be a probability distribution.

    Raises:
        ValueError: A row has a negative entry or does not sum to 1.
    """
    probs_NK, labels_N = checked_scores(probs_NK, labels_N)
    valid_N = distribution_rows(probs_NK)
    if not valid_N.all():
        first = int(np.argmin(valid_N))
        raise ValueError(
            f'Row {first} is no probability distribution: sum {probs_NK[first].sum():.4g}, '
            f'minimum {probs_NK[first].min():.4g}; apply softmax to logits first.'
        )
    return np.clip(probs_NK, 0.0, 1.0), labels_N


def distribution_rows(scores: np.ndarray) -> np.ndarray:
    """Tell for every row (last axis) whether it is a distribution up to rounding."""
    near_one = np.abs(scores.sum(axis=-1) - 1.0) <= SUM_TOLERANCE
    return near_one & (scores.min(axis=-1) >= -SUM_TOLERANCE)


def log_softmax(logits: Array) -> np.ndarray:
    """Log-probabilities over the last axis in float64, safe for logits of any size."""
    logits = as_float64(logits)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
