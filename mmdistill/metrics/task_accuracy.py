"""Top-k accuracy per task, for the verb + noun action and for EPIC-KITCHENS' splits.

Shape legend: N = samples, K = classes.
"""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric

from ..labels import ACTION
from ..registry import METRICS
from .epic_kitchens import has_joint_action, joint_action_ranks, split_masks
from .score_arrays import Array, checked_scores
from .score_table import ScoreKind, ScoreTable, check_score_kind, read_row, table_from_rows


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
    metrics = {}
    for task, ranks_N in ranks.items():
        metrics.update({f'{task}/top{k}': float((ranks_N < k).mean()) for k in topk})
        for split, mask_N in split_masks(table, task).items():
            if mask_N.any():
                metrics |= {
                    f'{split}/{task}/top{k}': float((ranks_N[mask_N] < k).mean()) for k in topk
                }
    return metrics


@METRICS.register_module()
class TaskAccuracy(BaseMetric):
    """`acc/<task>/top<k>` of single- and multi-task models, with unseen and tail splits.

    Args:
        scores: What the model's `pred_score` holds, 'logits' or 'probs'; never guessed.
        topk: The k of the reported accuracies.
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
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        self.scores = check_score_kind(scores)
        self.topk = tuple(topk)
        if not self.topk or min(self.topk) < 1:
            raise ValueError(f'Expected topk like (1, 5), every k >= 1, got {topk}.')

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keep every sample's scores, labels and flags."""
        self.results += [
            read_row(s, self.scores, len(self.results) + i) for i, s in enumerate(data_samples)
        ]

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Accuracies over all ranks' samples."""
        return task_accuracies(table_from_rows(results, self.scores), self.scores, self.topk)
