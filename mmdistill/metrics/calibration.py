"""Calibration of every task and of the joint action, as metrics of a whole test set.

Shape legend: N = samples, K = classes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object, get_dist_info
from mmengine.evaluator import BaseMetric

from ..joint_actions import ACTION, NOUN, VERB
from ..ranges import COUNT, ONE_OR_MORE
from ..registry import METRICS
from .answers import Probabilities, ProbabilitySums, read_answers
from .bootstrap import Interval, interval_ends
from .calibration_error import ReliabilityBins, bin_top_label, top_label
from .calibration_summary import CalibrationSummary, summarise, summary_of_rows
from .epic_kitchens import has_joint_action
from .score_table import (
    ScoreKind,
    ScoreTable,
    are_probabilities,
    check_alike,
    check_score_kind,
    log_probabilities,
    probabilities_error,
    read_row,
    row_form,
    row_ids,
)
from .weighted_errors import TopLabel


def calibration_errors(
    table: ScoreTable, scores: ScoreKind, num_bins: int = 15
) -> dict[str, float]:
    """Every error of every task, as `<task>/<name>`.

    The names are ece, ece_l2, mce, adaptive_ece, classwise_ece, nll, brier, overconfidence and
    aurc. The action of verb + noun data has p(verb) * p(noun) as its probabilities: one class per
    pair.
    """
    return summarise(table, scores, num_bins).errors()


def calibration_intervals(
    table: ScoreTable,
    scores: ScoreKind,
    num_bins: int = 15,
    num_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """As `calibration_errors`, with intervals of a bootstrap over the groups (videos).

    Raises:
        ValueError: There are fewer than two groups, or the level is not in (0, 1).
    """
    summary = summarise(table, scores, num_bins, by_group=True)
    return summary.intervals(num_resamples, level, seed)


def reliability_by_task(
    table: ScoreTable, scores: ScoreKind, num_bins: int = 15
) -> dict[str, ReliabilityBins]:
    """The reliability diagram of every task, the joint action included."""
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
    return {task: bin_top_label(top, num_bins) for task, top in tops.items()}


@METRICS.register_module()
class Calibration(BaseMetric):
    """`calibration/<task>/...`: ECE and its variants, NLL (nats), Brier score and AURC.

    Scores are forgotten batch by batch: a few numbers are kept per sample, and one per class.
    After an evaluation `reliability` holds the diagram of every task, on the main process.

    Args:
        scores: What the model's `pred_score` holds, 'logits' or 'probs'; never guessed.
        num_bins: Bins of the confidence.
        num_resamples: Resamples of a bootstrap over the groups (videos), for 95 % intervals as
            `calibration/<task>/<name>/{low,high}`; 0 for none.
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
        num_resamples: int = 0,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        self.scores = check_score_kind(scores)
        ONE_OR_MORE.check(num_bins=num_bins)
        COUNT.check(num_resamples=num_resamples)
        self.num_bins = num_bins
        self.num_resamples = num_resamples
        self.reliability: dict[str, ReliabilityBins] = {}
        self._begin()

    def _begin(self) -> None:
        self._sums = ProbabilitySums(by_group=self.num_resamples > 0)
        # The sample that was seen last, not in the sums yet: it may be the sampler's padding.
        self._last: tuple[str, Probabilities] | None = None

    def process(self, data_batch: object, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep what calibration needs of every sample."""
        for sample in data_samples:
            row = read_row(sample, self.scores, len(self.results))
            log_probs = {t: log_probabilities(x, self.scores) for t, x in row['scores'].items()}
            self.results.append(
                {
                    'sample_id': row['sample_id'],
                    'group': row['group'],
                    'form': row_form(row),
                    'probabilities': {t for t, x in row['scores'].items() if are_probabilities(x)},
                    'answers': read_answers(log_probs, row['labels'], self.num_bins),
                }
            )
            if self._last is not None:
                self._sums.add(*self._last)
            self._last = row['group'], log_probs

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather all ranks' sums without the sampler's padding, then evaluate."""
        rank, world_size = get_dist_info()
        # The sampler deals samples to the ranks in turn, so padding is the last of a rank.
        if self._last is not None and (len(self.results) - 1) * world_size + rank < size:
            self._sums.add(*self._last)
        by_rank = all_gather_object(self._sums)
        self._begin()
        for sums in by_rank:
            self._sums.merge(sums)
        metrics = super().evaluate(size)
        self._begin()
        return metrics

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Calibration over all ranks' samples."""
        check_alike(row_ids(results), [row['form'] for row in results])
        if self.scores == 'logits':
            for task in set.intersection(*[row['probabilities'] for row in results]):
                raise probabilities_error(task)
        summary = self._summary(results)
        self.reliability = summary.reliability()
        metrics = summary.errors()
        if self.num_resamples:
            metrics |= interval_ends(summary.intervals(self.num_resamples))
        return metrics

    def _summary(self, results: list[dict[str, Any]]) -> CalibrationSummary:
        groups = [row['group'] for row in results]
        answers = [row['answers'] for row in results]
        return summary_of_rows(groups, answers, self._sums, self.num_bins)
