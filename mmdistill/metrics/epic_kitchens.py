"""What EPIC-KITCHENS asks beyond single tasks: joint verb + noun actions and its two splits.

Damen et al., *Rescaling Egocentric Vision*, 2022: an action is a verb and a noun, right when both
are right; results are also given on participants unseen in training and on tail classes.
https://arxiv.org/abs/2006.13256

Shape legend: N = samples, Kv = verbs, Kn = nouns.
"""

from collections.abc import Collection

import numpy as np

from ..joint_actions import ACTION, NOUN, VERB, JointActions, best_pairs
from .score_arrays import Array, log_softmax
from .score_table import ScoreTable


def joint_log_probs(verb_logits: Array, noun_logits: Array) -> np.ndarray:
    """Log-probability of every action, log-softmax(verb) + log-softmax(noun): (N, Kv, Kn) float64.

    For all of EPIC-KITCHENS-100 this is 230 kB per sample; `best_joint_actions` avoids it.

    Raises:
        ValueError: The logits are not (N, Kv) and (N, Kn).
    """
    verb_NV, noun_NO = _log_softmax_pair(verb_logits, noun_logits)
    return verb_NV[:, :, None] + noun_NO[:, None, :]


def best_joint_actions(verb_logits: Array, noun_logits: Array, k: int) -> JointActions:
    """The k most probable actions of each sample; see `best_pairs`.

    Raises:
        ValueError: k < 1, or the logits are not (N, Kv) and (N, Kn).
    """
    return best_pairs(*_log_softmax_pair(verb_logits, noun_logits), k)


def joint_action_ranks(
    verb_logits: Array, noun_logits: Array, verbs_N: np.ndarray, nouns_N: np.ndarray, max_rank: int
) -> np.ndarray:
    """Rank of each sample's true action, 0 = most probable, cut at `max_rank`: (N,) int64."""
    best = best_joint_actions(verb_logits, noun_logits, max_rank)
    hit_NJ = (best.verbs_NJ == verbs_N[:, None]) & (best.nouns_NJ == nouns_N[:, None])
    return np.where(hit_NJ.any(axis=1), hit_NJ.argmax(axis=1), max_rank)


def has_joint_action(table: ScoreTable) -> bool:
    """Whether the action is to be joined from verb and noun (not a task of its own)."""
    return joins_action(table.labels)


def joins_action(tasks: Collection[str]) -> bool:
    """Whether these tasks have verb and noun, and no action of their own."""
    return {VERB, NOUN} <= set(tasks) and ACTION not in tasks


def split_masks(table: ScoreTable, task: str) -> dict[str, np.ndarray]:
    """The splits a task is also scored on, as (N,) masks; empty where samples carry no flags.

    A tail action has a tail verb or a tail noun, as the challenge counts it; in `tail_both` are
    those that have both.
    """
    flags, masks = table.flags, {}
    if 'unseen' in flags:
        masks['unseen'] = flags['unseen']
    if f'tail_{task}' in flags:
        masks['tail'] = flags[f'tail_{task}']
    elif task == ACTION and {'tail_verb', 'tail_noun'} <= flags.keys():
        masks['tail'] = flags['tail_verb'] | flags['tail_noun']
        masks['tail_both'] = flags['tail_verb'] & flags['tail_noun']
    return masks


def _log_softmax_pair(verb_logits: Array, noun_logits: Array) -> tuple[np.ndarray, np.ndarray]:
    shapes = tuple(verb_logits.shape), tuple(noun_logits.shape)
    if any(len(shape) != 2 for shape in shapes) or shapes[0][0] != shapes[1][0]:
        raise ValueError(
            'Expected verb logits (N, Kv) and noun logits (N, Kn) of the same samples, '
            f'got {shapes[0]} and {shapes[1]}.'
        )
    return log_softmax(verb_logits), log_softmax(noun_logits)
