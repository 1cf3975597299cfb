"""Calibration of every task and of the joint action, as metrics of a whole test set.

Shape legend: N = samples, K = classes, Kv = verbs, Kn = nouns.
"""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric

from ..labels import ACTION
from ..registry import METRICS
from .calibration_error import (
    ReliabilityBins,
    TopLabel,
    adaptive_binned_error,
    bin_top_label,
    binned_error,
    brier_score,
    classwise_ece,
    classwise_gaps,
    negative_log_likelihood,
    top_label,
)
from .epic_kitchens import NOUN, VERB, has_joint_action
from .score_table import ScoreKind, ScoreTable, check_score_kind, read_row, table_from_rows


def calibration_errors(
    table: ScoreTable, scores: ScoreKind, num_bins: int = 15
) -> dict[str, float]:
    """`<task>/{ece,ece_l2,mce,adaptive_ece,classwise_ece,nll,brier}` of every task.

    The action of verb + noun data has p(verb) * p(noun) as its probabilities: one class per pair.
    """
    metrics = {}
    for task, top in _top_labels(table, scores).items():
        values = {
            'ece': binned_error(top, num_bins, 'l1'),
            'ece_l2': binned_error(top, num_bins, 'l2'),
            'mce': binned_error(top, num_bins, 'max'),
            'adaptive_ece': adaptive_binned_error(top, num_bins),
        }
        if task in table.labels:
            log_probs_NK, labels_N = table.log_probs(task, scores), table.labels[task]
            probs_NK = np.exp(log_probs_NK)
            values['classwise_ece'] = classwise_ece(probs_NK, labels_N, num_bins)
            values['nll'] = negative_log_likelihood(log_probs_NK, labels_N)
            values['brier'] = brier_score(probs_NK, labels_N)
        else:
            values.update(_joint_scores(table, scores, num_bins))
        metrics.update({f'{task}/{name}': value for name, value in values.items()})
    return metrics


def reliability_by_task(
    table: ScoreTable, scores: ScoreKind, num_bins: int = 15
) -> dict[str, ReliabilityBins]:
    """The reliability diagram of every task, the joint action included."""
    tops = _top_labels(table, scores)
    return {task: bin_top_label(top, num_bins) for task, top in tops.items()}


@METRICS.register_module()
class Calibration(BaseMetric):
    """`calibration/<task>/...`: ECE and its variants, NLL (nats) and Brier score.

    Args:
        scores: What the model's `pred_score` holds, 'logits' or 'probs'; never guessed.
        num_bins: Bins of the confidence.
        collect_device: 'cpu' or 'gpu', how results are gathered from all ranks.
        prefix: First part of the metric names.
        collect_dir: Shared folder for gathering on 'cpu'.

    Raises:
        ValueError: `scores` is neither; the scores contradict it; num_bins < 1.
    """

    default_prefix = 'calibration'

    def __init__(
        self,
        scores: ScoreKind,
        num_bins: int = 15,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        self.scores = check_score_kind(scores)
        self.num_bins = num_bins
        if num_bins < 1:
            raise ValueError(f'Expected num_bins >= 1, got {num_bins}.')

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keep every sample's scores, labels and flags."""
        self.results += [
            read_row(s, self.scores, len(self.results) + i) for i, s in enumerate(data_samples)
        ]

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Calibration over all ranks' samples."""
        return calibration_errors(table_from_rows(results, self.scores), self.scores, self.num_bins)


def _top_labels(table: ScoreTable, scores: ScoreKind) -> dict[str, TopLabel]:
    tops = {
        task: top_label(np.exp(table.log_probs(task, scores)), labels_N)
        for task, labels_N in table.labels.items()
    }
    if has_joint_action(table):
        verb, noun = tops[VERB], tops[NOUN]
        # The most probable pair is the most probable verb with the most probable noun.
        tops[ACTION] = TopLabel(
            verb.confidence_N * noun.confidence_N, verb.correct_N & noun.correct_N
        )
    return tops


def _joint_scores(table: ScoreTable, scores: ScoreKind, num_bins: int) -> dict[str, float]:
    """Class-wise ECE, NLL and Brier score of the pairs, without an (N, Kv, Kn) array."""
    logs = {task: table.log_probs(task, scores) for task in (VERB, NOUN)}
    verb_NV, noun_NO = np.exp(logs[VERB]), np.exp(logs[NOUN])
    verbs_N, nouns_N = table.labels[VERB], table.labels[NOUN]
    gaps = sum(
        classwise_gaps(
            verb_NV[:, [verb]] * noun_NO, np.where(verbs_N == verb, nouns_N, -1), num_bins
        )
        for verb in range(verb_NV.shape[1])
    )
    rows = np.arange(len(verbs_N))
    target_N = verb_NV[rows, verbs_N] * noun_NO[rows, nouns_N]
    squares_N = (verb_NV**2).sum(axis=1) * (noun_NO**2).sum(axis=1)
    return {
        'classwise_ece': gaps / (verb_NV.shape[1] * noun_NO.shape[1]),
        'nll': negative_log_likelihood(logs[VERB], verbs_N)
        + negative_log_likelihood(logs[NOUN], nouns_N),
        'brier': float((squares_N - 2 * target_N + 1).mean()),
    }
