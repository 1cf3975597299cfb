"""Top-k accuracy per task, for the verb + noun action and for EPIC-KITCHENS' splits.

Shape legend: N = samples, K = classes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.evaluator import BaseMetric

from ..joint_actions import ACTION
from ..ranges import COUNT, ONE_OR_MORE
from ..registry import METRICS
from .bootstrap import Interval, interval_ends, percentile_interval, resample_groups
from .epic_kitchens import has_joint_action, joint_action_ranks, split_masks
from .score_arrays import Array, checked_scores
from .score_table import ScoreKind, ScoreTable, check_score_kind, read_row, table_from_rows
from .weighted_errors import weighted_mean


def label_ranks(scores_NK: Array, labels_N: Array) -> np.ndarray:
    """Rank of each sample's label among its scores, 0 = highest: (N,) int64.

    Ties: among equal scores the lower class index ranks first, as in `argmax`.
    """
    scores_NK, labels_N = checked_scores(scores_NK, labels_N)
    target_N1 = np.take_along_axis(scores_NK, labels_N[:, None], axis=1)
    higher_N = (scores_NK > target_N1).sum(axis=1)
    before_NK = np.arange(scores_NK.shape[1]) < labels_N[:, None]
    return higher_N + ((scores_NK == target_N1) & before_NK).sum(axis=1)


def top_k_accuracy(scores_NK: Array, labels_N: Array, k: int) -> float:
    """Fraction of samples whose label is among their k highest scores.

    Among equal scores the lower class index ranks first, as in `argmax`. With k >= K every
    sample counts as right.

    Args:
        scores_NK: Logits or probabilities, array or tensor of any float type.
        labels_N: Class indices.
        k: How many of the highest scores count.

    Raises:
        ValueError: k < 1, a NaN or infinite score or a label out of range (naming the sample).
    """
    if k < 1:
        raise ValueError(f'Expected k >= 1 for top-k accuracy, got {k}.')
    return float((label_ranks(scores_NK, labels_N) < k).mean())


def task_accuracies(
    table: ScoreTable, scores: ScoreKind, topk: Sequence[int] = (1, 5)
) -> dict[str, float]:
    """All accuracies of a table: `<task>/top<k>`, and those of every split, such as `unseen/…`.

    Views are averaged in the kind of score that the table holds. `action` joins verb and noun
    where the table has these two tasks and no action of its own. A split without samples has
    no entry.
    """
    return {name: float(hits.hit_N.mean()) for name, hits in _hits(table, scores, topk).items()}


def accuracy_intervals(
    table: ScoreTable,
    scores: ScoreKind,
    topk: Sequence[int] = (1, 5),
    num_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """As `task_accuracies`, with intervals of a bootstrap over the groups (videos).

    Of a split its own groups are drawn; one with a single group has no interval.

    Raises:
        ValueError: There are fewer than two groups, or the level is not in (0, 1).
    """
    resample_groups(table.groups, 1)  # raises where there are too few
    found = {}
    for name, hits in _hits(table, scores, topk).items():
        if len(np.unique(hits.group_N)) > 1:
            resamples = resample_groups(hits.group_N, num_resamples, seed)
            parts = [weighted_mean(hits.hit_N, part.weights()) for part in resamples.parts()]
            mean = float(hits.hit_N.mean())
            found[name] = percentile_interval(mean, np.concatenate(parts), level)
    return found


class _Hits(NamedTuple):
    hit_N: np.ndarray  # whether the label was among the k best
    group_N: np.ndarray


def _hits(table: ScoreTable, scores: ScoreKind, topk: Sequence[int]) -> dict[str, _Hits]:
    """`<task>/top<k>` and `<split>/<task>/top<k>` of every split that has samples."""
    ranks = {
        task: label_ranks(table.mean_scores(task), labels) for task, labels in table.labels.items()
    }
    if has_joint_action(table):
        ranks[ACTION] = joint_action_ranks(
            table.log_probs('verb', scores),
            table.log_probs('noun', scores),
            table.labels['verb'],
            table.labels['noun'],
            max_rank=max(topk),
        )
    found = {}
    for task, ranks_N in ranks.items():
        everything = {'': np.ones(len(ranks_N), bool)}
        for split, mask_N in (everything | split_masks(table, task)).items():
            if mask_N.any():
                name = f'{split}/{task}' if split else task
                for k in topk:
                    found[f'{name}/top{k}'] = _Hits(ranks_N[mask_N] < k, table.groups[mask_N])
    return found


@METRICS.register_module()
class TaskAccuracy(BaseMetric):
    """`acc/<task>/top<k>` of single- and multi-task models, with unseen and tail splits.

    Args:
        scores: What the model's `pred_score` holds, 'logits' or 'probs'; never guessed.
        topk: The k of the reported accuracies.
        num_resamples: Resamples of a bootstrap over the groups (videos), for 95 % intervals as
            `acc/<task>/top<k>/{low,high}`; 0 for none.
        collect_device: 'cpu' or 'gpu', how results are gathered from all ranks.
        prefix: First part of the metric names.
        collect_dir: Shared folder for gathering on 'cpu'.

    Raises:
        ValueError: `scores` is neither; the scores contradict it; a k is below 1.
    """

    default_prefix = 'acc'

    def __init__(
        self,
        scores: ScoreKind,
        topk: Sequence[int] = (1, 5),
        num_resamples: int = 0,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        self.scores = check_score_kind(scores)
        self.topk = tuple(topk)
        COUNT.check(num_resamples=num_resamples)
        self.num_resamples = num_resamples
        if not self.topk or not all(k in ONE_OR_MORE for k in self.topk):
            raise ValueError(f'Expected topk like (1, 5), every k >= 1, got {topk}.')

    def process(self, data_batch: object, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep every sample's scores, labels and flags."""
        self.results += [
            read_row(s, self.scores, len(self.results) + i) for i, s in enumerate(data_samples)
        ]

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Accuracies over all ranks' samples."""
        table = table_from_rows(results, self.scores)
        metrics = task_accuracies(table, self.scores, self.topk)
        if self.num_resamples:
            found = accuracy_intervals(table, self.scores, self.topk, self.num_resamples)
            metrics |= interval_ends(found)
        return metrics
