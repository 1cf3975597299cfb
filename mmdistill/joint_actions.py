"""Actions that are a verb and a noun: the names of the tasks, and the best pairs of both.

Needs NumPy alone: an exported student names its actions by it, too.
Shape legend: N = samples, V = verbs, O = nouns, J = best actions kept per sample.
"""

from typing import NamedTuple

import numpy as np

ACTION, VERB, NOUN = 'action', 'verb', 'noun'


class JointActions(NamedTuple):
    """The best actions of every sample, best first."""

    log_probs_NJ: np.ndarray
    verbs_NJ: np.ndarray
    nouns_NJ: np.ndarray


def best_pairs(verb_NV: np.ndarray, noun_NO: np.ndarray, k: int) -> JointActions:
    """The k most probable actions of each sample without building all V x O of them.

    The best k pairs lie within the best k verbs times the best k nouns. Ties: the lower verb
    index, then the lower noun index ranks first. J = min(k, V * O).

    Args:
        verb_NV: Log-probabilities.
        noun_NO: Likewise.
        k: How many.

    Raises:
        ValueError: k < 1.
    """
    if k < 1:
        raise ValueError(f'Expected k >= 1 best actions, got {k}.')
    # Sorted by class index again, so that the last stable sort breaks ties by class index.
    verbs_NA = np.sort(np.argsort(-verb_NV, axis=1, kind='stable')[:, :k], axis=1)
    nouns_NB = np.sort(np.argsort(-noun_NO, axis=1, kind='stable')[:, :k], axis=1)
    pairs_NAB = (
        np.take_along_axis(verb_NV, verbs_NA, axis=1)[:, :, None]
        + np.take_along_axis(noun_NO, nouns_NB, axis=1)[:, None, :]
    )
    pairs_NP = pairs_NAB.reshape(len(pairs_NAB), -1)
    best_NJ = np.argsort(-pairs_NP, axis=1, kind='stable')[:, :k]
    return JointActions(
        np.take_along_axis(pairs_NP, best_NJ, axis=1),
        np.take_along_axis(verbs_NA, best_NJ // nouns_NB.shape[1], axis=1),
        np.take_along_axis(nouns_NB, best_NJ % nouns_NB.shape[1], axis=1),
    )
