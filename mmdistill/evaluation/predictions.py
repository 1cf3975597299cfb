"""What a model said about each clip, read from a table of its scores.

Shape legend: N = clips, K = classes of a task.
"""

from typing import NamedTuple

import numpy as np

from ..metrics import ScoreTable
from ..metrics.calibration_error import top_label
from ..metrics.weighted_errors import TopLabel

ACTION, PARTS = 'action', ('verb', 'noun')


class RankedClass(NamedTuple):
    """One of a model's best answers for a clip."""

    index: int
    probability: float


class ProperScores(NamedTuple):
    """Errors of a model's probabilities, a clip each: (N,)."""

    nll: np.ndarray  # nats
    brier: np.ndarray  # from 0 to 2


def tasks_of(table: ScoreTable) -> tuple[str, ...]:
    """The labelled tasks; verb and noun together also make `action`."""
    own = tuple(sorted(table.labels, key=lambda task: (task not in PARTS, task != 'verb', task)))
    return (*own, ACTION) if set(PARTS) <= set(own) and ACTION not in own else own


def predictions(table: ScoreTable, task: str) -> TopLabel:
    """Confidence and correctness of each clip's answer; of a verb-noun pair, both are right."""
    if task in table.labels:
        return top_label(np.exp(table.log_probs(task, 'logits')), table.labels[task])
    verb, noun = (predictions(table, part) for part in PARTS)
    return TopLabel(verb.confidence_N * noun.confidence_N, verb.correct_N & noun.correct_N)


def proper_scores(table: ScoreTable, task: str) -> ProperScores:
    """NLL and Brier score of each clip; a verb-noun pair is one class of all pairs."""
    parts = [task] if task in table.labels else list(PARTS)
    nll_N, squares_N, target_N = np.zeros(1), np.ones(1), np.ones(1)
    for part in parts:
        log_probs_NK = table.log_probs(part, 'logits')
        label_N = np.take_along_axis(log_probs_NK, table.labels[part][:, None], axis=1)[:, 0]
        nll_N = nll_N - label_N
        squares_N = squares_N * np.exp(2 * log_probs_NK).sum(axis=1)
        target_N = target_N * np.exp(label_N)
    return ProperScores(nll_N, squares_N - 2 * target_N + 1)


def best_classes(table: ScoreTable, task: str, clip: int, k: int) -> list[RankedClass]:
    """The k most probable classes of one clip, best first."""
    probs_K = np.exp(table.log_probs(task, 'logits')[clip])
    order = np.argsort(-probs_K, kind='stable')[:k]
    return [RankedClass(int(index), float(probs_K[index])) for index in order]


def aligned(table: ScoreTable, sample_ids: np.ndarray) -> ScoreTable:
    """The same scores in the order of `sample_ids`.

    Raises:
        ValueError: The two are not the same set of clips.
    """
    position = {name: i for i, name in enumerate(table.sample_ids.tolist())}
    missing = [name for name in sample_ids.tolist() if name not in position]
    if missing or len(position) != len(sample_ids):
        raise ValueError(
            f'Expected scores of the same {len(sample_ids)} clips, got {len(position)} clips, '
            f'and {len(missing)} are missing (first: {missing[:3]}). '
            'Test the models on the same annotation file.'
        )
    index = np.array([position[name] for name in sample_ids.tolist()], dtype=np.int64)

    def take(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: array[index] for name, array in arrays.items()}

    return ScoreTable(
        table.sample_ids[index],
        table.groups[index],
        take(table.scores),
        take(table.labels),
        take(table.flags),
    )
