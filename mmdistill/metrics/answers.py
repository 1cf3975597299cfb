"""What calibration keeps of a sample in place of its scores: a few numbers per task.

The action of verb + noun data is a task with one class per pair, p(verb) * p(noun), of which only
what is needed is ever built.
Shape legend: N = samples, K = classes, G = groups, A = classes above the first bin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..joint_actions import ACTION, NOUN, VERB
from .classwise import ClassEntries, LabelEntries
from .epic_kitchens import joins_action

Probabilities = dict[str, np.ndarray]  # task -> (K,)


# No named tuple: MMEngine makes plain ones of these on its way through a metric.
@dataclass(frozen=True)
class Answer:
    """A distribution over the classes of a task, as far as calibration looks at it."""

    confidence: float  # the largest probability
    correct: bool  # whether it is the label's
    nll: float  # nats
    squares: float  # sum of the squared probabilities
    target: float  # probability of the label
    label: int
    classes_A: np.ndarray  # whose probability exceeds 1 / number of bins
    probs_A: np.ndarray


class Answers(NamedTuple):
    """The answers to one task as columns."""

    confidence_N: np.ndarray
    correct_N: np.ndarray
    nll_N: np.ndarray
    brier_N: np.ndarray
    labels: LabelEntries
    above: ClassEntries


def read_answers(
    log_probs: Probabilities, labels: dict[str, int], num_bins: int
) -> dict[str, Answer]:
    """The answer to every task from a sample's log-probabilities, the joint action included."""
    found = {}
    for task, log_probs_K in log_probs.items():
        probs_K, label = np.exp(log_probs_K), labels[task]
        classes_A = np.flatnonzero(probs_K > 1 / num_bins)
        found[task] = Answer(
            confidence=float(probs_K.max()),
            correct=bool(probs_K.argmax() == label),
            nll=float(-log_probs_K[label]),
            squares=float((probs_K**2).sum()),
            target=float(probs_K[label]),
            label=label,
            classes_A=classes_A,
            probs_A=probs_K[classes_A],
        )
    if joins_action(found):
        found[ACTION] = _joint(found[VERB], found[NOUN], len(log_probs[NOUN]), num_bins)
    return found


def _joint(verb: Answer, noun: Answer, num_nouns: int, num_bins: int) -> Answer:
    # A pair above the first bin has a verb and a noun above it; the most probable pair is the
    # most probable verb with the most probable noun.
    classes_A = (verb.classes_A[:, None] * num_nouns + noun.classes_A).ravel()
    probs_A = np.outer(verb.probs_A, noun.probs_A).ravel()
    above = probs_A > 1 / num_bins
    return Answer(
        confidence=verb.confidence * noun.confidence,
        correct=verb.correct and noun.correct,
        nll=verb.nll + noun.nll,
        squares=verb.squares * noun.squares,
        target=verb.target * noun.target,
        label=verb.label * num_nouns + noun.label,
        classes_A=classes_A[above],
        probs_A=probs_A[above],
    )


def as_columns(answers: Sequence[Answer]) -> Answers:
    """Stack the answers to one task."""
    numbers = {
        name: np.array([getattr(answer, name) for answer in answers])
        for name in ('confidence', 'correct', 'nll', 'squares', 'target', 'label')
    }
    above = ClassEntries(
        np.repeat(np.arange(len(answers)), [len(answer.classes_A) for answer in answers]),
        np.concatenate([answer.classes_A for answer in answers]),
        np.concatenate([answer.probs_A for answer in answers]),
    )
    return Answers(
        numbers['confidence'],
        numbers['correct'],
        numbers['nll'],
        numbers['squares'] - 2 * numbers['target'] + 1,
        LabelEntries(numbers['label'], numbers['target']),
        above,
    )


class ProbabilitySums:
    """Running sums of all probabilities, per task and class: what is too large to keep per sample.

    Args:
        by_group: Keep a sum for every group of samples, as a bootstrap over groups needs.
    """

    def __init__(self, by_group: bool = False) -> None:
        self.by_group = by_group
        self._sums: dict[str, dict[str, np.ndarray]] = {}

    def add(self, group: str, log_probs: Probabilities) -> None:
        """Add one sample."""
        probs = {task: np.exp(log_probs_K) for task, log_probs_K in log_probs.items()}
        if joins_action(probs):
            probs[ACTION] = np.outer(probs[VERB], probs[NOUN]).ravel()
        for task, probs_K in probs.items():
            self._add(task, group if self.by_group else '', probs_K)

    def merge(self, other: 'ProbabilitySums') -> None:
        """Add the samples of another process."""
        for task, sums in other._sums.items():
            for group, sum_K in sums.items():
                self._add(task, group, sum_K)

    def of(self, task: str, names_G: Sequence[str]) -> np.ndarray:
        """The sums of a task, (G, K); without groups all of it is the first row's."""
        sums = self._sums[task]
        return np.stack([sums[name] for name in (names_G if self.by_group else [''])])

    def _add(self, task: str, group: str, values_K: np.ndarray) -> None:
        sums = self._sums.setdefault(task, {})
        if group in sums:
            sums[group] += values_K
        else:
            sums[group] = values_K.copy()
