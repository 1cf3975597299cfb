"""Scores, labels and flags of a whole test set, read from data samples or from a dump.

Every metric is a function of a `ScoreTable`, so a run and its dump give the same numbers.
Shape legend: N = samples, V = views of a clip, K = classes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np
import torch

from ..joint_actions import ACTION
from .score_arrays import Array, as_float64, distribution_rows, log_softmax

ScoreKind: TypeAlias = Literal['logits', 'probs']


@dataclass(frozen=True)
class ScoreTable:
    """One row per sample, all fields in the same order.

    Args:
        sample_ids: (N,) str, unique.
        groups: (N,) str, the unit of a bootstrap, usually the video.
        scores: Task to (N, V, K) float32.
        labels: Task to (N,) int64; the same tasks as `scores`, or none at all in a dump of clips
            without labels.
        flags: Name (`unseen`, `tail_<task>`) to (N,) bool.
    """

    sample_ids: np.ndarray
    groups: np.ndarray
    scores: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    flags: dict[str, np.ndarray]

    def mean_scores(self, task: str) -> np.ndarray:
        """Scores averaged over the views: (N, K) float64."""
        return as_float64(self.scores[task]).mean(axis=1)

    def log_probs(self, task: str, scores: ScoreKind) -> np.ndarray:
        """Log-probabilities after averaging over the views: (N, K) float64."""
        return log_probabilities(self.scores[task], scores)


def log_probabilities(scores_VK: Array, scores: ScoreKind) -> np.ndarray:
    """Log-probabilities after averaging over the views, (..., V, K) -> (..., K) float64.

    A probability of 0 counts as the smallest normal float64 (about -708 nats), so that the mean
    over samples stays finite.
    """
    mean_K = as_float64(scores_VK).mean(axis=-2)
    if scores == 'logits':
        return log_softmax(mean_K)
    return np.log(np.clip(mean_K, np.finfo(np.float64).tiny, 1.0))


def check_score_kind(scores: str) -> ScoreKind:
    """Return `scores` if it is 'logits' or 'probs'.

    Raises:
        ValueError: It is neither.
    """
    if scores not in get_args(ScoreKind):
        raise ValueError(
            f"Expected scores='logits' or scores='probs', got {scores!r}; an MMAction2 head gives "
            "probs with average_clips='prob' and logits with 'score' or None."
        )
    return cast(ScoreKind, scores)


def read_row(
    sample: Mapping[str, Any], scores: ScoreKind, position: int, needs_labels: bool = True
) -> dict[str, Any]:
    """Read one data sample (as a dict) into plain arrays that can be sent between ranks.

    Args:
        sample: Has `pred_score` ((K,) or (V, K), or a dict of them by task) and `gt_labels`
            (dict by task) or `gt_label`.
        scores: What `pred_score` holds.
        position: Stands in for `sample_id` where the data set gives none.
        needs_labels: Whether a sample without any label is an error.

    Raises:
        KeyError: Scores or labels are missing.
        ValueError: NaN or infinite scores, a label out of range, probs that do not sum to 1.
    """
    name = str(sample.get('sample_id', f'#{position}'))
    if 'pred_score' not in sample:
        raise KeyError(f'Sample {name!r} has no pred_score; the model must set it in predict.')
    pred, labels = sample['pred_score'], _labels_of(sample)
    if not isinstance(pred, Mapping):
        # A head without task names on a data set that names its only task.
        pred = {next(iter(labels)) if len(labels) == 1 else ACTION: pred}
    missing = sorted(pred.keys() - labels.keys())
    if missing and (labels or needs_labels):
        raise KeyError(
            f'Sample {name!r} is scored for {sorted(pred)} but has labels for {sorted(labels)}; '
            'evaluate on an annotation file that has a label column for every task.'
        )
    arrays = {task: _views(value) for task, value in pred.items()}
    for task, scores_VK in arrays.items():
        _check_row(name, task, scores_VK, labels.get(task), scores)
    return {
        'sample_id': str(sample['sample_id']) if 'sample_id' in sample else None,
        'group': str(sample.get('group', sample.get('video_id', name))),
        'scores': arrays,
        'labels': {task: labels[task] for task in arrays if labels},
        'flags': {
            key: bool(value)
            for key, value in sample.items()
            if key == 'unseen' or key.startswith('tail_')
        },
    }


def table_from_rows(rows: Sequence[dict[str, Any]], scores: ScoreKind) -> ScoreTable:
    """Stack the rows of `read_row`.

    Raises:
        ValueError: No rows, a sample id twice, rows that differ in tasks, views or flags, or
            scores that are called logits though every row is a probability distribution.
    """
    ids = row_ids(rows)
    check_alike(ids, [row_form(row) for row in rows])
    table = ScoreTable(
        sample_ids=np.array(ids),
        groups=np.array([row['group'] for row in rows]),
        scores={t: np.stack([row['scores'][t] for row in rows]) for t in rows[0]['scores']},
        labels={
            t: np.array([row['labels'][t] for row in rows], np.int64) for t in rows[0]['labels']
        },
        # MMEngine keeps meta information in a set: sorted, so that every run writes the same.
        flags={
            f: np.array([row['flags'][f] for row in rows], bool) for f in sorted(rows[0]['flags'])
        },
    )
    check_not_probabilities(table, scores)
    return table


def check_not_probabilities(table: ScoreTable, scores: ScoreKind) -> None:
    """Refuse 'logits' of which every row is a probability distribution.

    A softmax on top of them would flatten every confidence without any sign of it.

    Raises:
        ValueError: The scores of a task are probabilities.
    """
    for task, scores_NVK in table.scores.items() if scores == 'logits' else ():
        if are_probabilities(scores_NVK):
            raise probabilities_error(task)


def are_probabilities(scores: Array) -> bool:
    """Whether every row (last axis) of two classes or more is a probability distribution."""
    if len(scores) == 0 or scores.shape[-1] == 1:
        return False
    return bool(distribution_rows(as_float64(scores)).all())


def probabilities_error(task: str) -> ValueError:
    """What to raise where the scores of a task were said to be logits and are none."""
    return ValueError(
        f'The {task!r} scores were said to be logits, but every row is a probability '
        "distribution; set scores='probs', or average_clips='score' on the head."
    )


def _labels_of(sample: Mapping[str, Any]) -> dict[str, int]:
    name = sample.get('sample_id', '?')
    labels = sample.get('gt_labels')
    if labels is None:
        labels = {ACTION: sample['gt_label']} if 'gt_label' in sample else {}
    single = {}
    for task, value in labels.items():
        value = torch.as_tensor(value)
        if value.numel() != 1:
            raise ValueError(
                f'Sample {name!r} has a {task!r} label of shape {tuple(value.shape)}; expected one '
                'class index (multi-label and blended labels cannot be scored here).'
            )
        single[task] = int(value)
    return single


def _views(scores: torch.Tensor | np.ndarray) -> np.ndarray:
    scores = torch.as_tensor(scores).detach().to('cpu', torch.float32).numpy()
    return scores[None] if scores.ndim == 1 else scores


def _check_row(
    name: str, task: str, scores_VK: np.ndarray, label: int | None, scores: ScoreKind
) -> None:
    what = f'{task!r} scores of sample {name!r}'
    if scores_VK.ndim != 2 or not scores_VK.size:
        raise ValueError(f'Expected {what} of shape (K,) or (V, K), got {scores_VK.shape}.')
    if not np.isfinite(scores_VK).all():
        raise ValueError(f'The {what} are NaN or infinite; look for divergence in the model.')
    if label is not None and not 0 <= label < scores_VK.shape[1]:
        raise ValueError(
            f'The {task!r} label {label} of sample {name!r} is outside the {scores_VK.shape[1]} '
            'classes of the model; the model and the data set must have the same classes.'
        )
    if scores == 'probs' and not distribution_rows(as_float64(scores_VK)).all():
        raise ValueError(
            f'The {what} were said to be probs, but sum to {scores_VK.sum(-1).tolist()}; '
            "set scores='logits', or average_clips='prob' on the head."
        )


def row_ids(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The sample ids of rows; a row without one is named by its position.

    Raises:
        ValueError: There are no rows.
    """
    if not rows:
        raise ValueError('There is nothing to evaluate: the test set has no samples.')
    return [
        row['sample_id'] if row['sample_id'] is not None else f'#{i}' for i, row in enumerate(rows)
    ]


def row_form(row: dict[str, Any]) -> tuple[Any, ...]:
    """What all rows must have in common: shapes of the scores, labelled tasks, flags."""
    shapes = {t: s.shape for t, s in row['scores'].items()}
    return shapes, sorted(row['labels']), sorted(row['flags'])


def check_alike(ids: list[str], forms: Sequence[tuple[Any, ...]]) -> None:
    """Refuse samples that come twice or differ in their form.

    Raises:
        ValueError: There are such samples.
    """
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise ValueError(
            f'{len(twice)} samples were evaluated more than once, such as {twice[0]!r}; use a '
            'DefaultSampler without shuffling, and unique sample ids in the annotation file.'
        )
    for name, form in zip(ids, forms, strict=True):
        if form != forms[0]:
            raise ValueError(
                f'Sample {name!r} differs from {ids[0]!r} in the shape of its scores, its '
                f'labels or its flags: {form} instead of {forms[0]}; all samples need the same.'
            )
