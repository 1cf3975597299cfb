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


def negative_log_likelihoods(table: ScoreTable, task: str) -> np.ndarray:
    """Minus the log-probability of each clip's label (N,), in nats; of a pair, the sum of both."""
    if task not in table.labels:
        return sum(negative_log_likelihoods(table, part) for part in PARTS)
    log_probs_NK = table.log_probs(task, 'logits')
    return -np.take_along_axis(log_probs_NK, table.labels[task][:, None], axis=1)[:, 0]


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
