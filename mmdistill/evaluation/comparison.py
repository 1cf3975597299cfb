"""A model against another one on the same clips, from their score dumps.

Shape legend: N = clips, S = seeds (trainings), K = classes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..metrics.epic_kitchens import split_masks
from .bootstrap import Interval, paired_ece_interval, paired_mean_interval, weighted_ece
from .learned_from import learned_from
from .paired_tests import (
    agreement,
    agreement_between_seeds,
    class_accuracies,
    confusion,
    mcnemar,
)
from .predictions import tasks_of
from .score_groups import ScoreGroup

LEVEL = 0.95
# An ECE costs more to resample than a mean.
ECE_SHARE = 5


def compare_groups(
    groups: Sequence[ScoreGroup],
    experts: Sequence[ScoreGroup] = (),
    num_resamples: int = 10_000,
    num_confusions: int = 10,
) -> dict[str, Any]:
    """Each further model against the first.

    Args:
        groups: The baseline, then what is compared with it; see `load_groups`.
        experts: Of whom the others may have learned.
        num_resamples: Of the bootstrap over videos.
        num_confusions: How many of the most changed confusions are listed.

    Returns:
        `num_clips`, `num_groups`, `level`, `models` (name to dumps) and `comparisons`: of every
        further model its name and, by task, `differences` (overall and by split), `mcnemar` per
        pair of seeds, `agreement`, and for tasks with classes of their own `classes`,
        `confusions` and `experts`. Accuracies and errors are fractions.

    Raises:
        ValueError: There are fewer than two models.
    """
    if len(groups) < 2:
        raise ValueError(f'A comparison needs at least two models, got {len(groups)}.')
    baseline, *others = groups
    table = baseline.tables[0]
    comparisons = []
    for other in others:
        tasks = {}
        for task in tasks_of(table):
            found = {
                'differences': differences(baseline, other, task, num_resamples),
                'mcnemar': mcnemar_by_seed(baseline, other, task),
                'agreement': agreements(baseline, other, task),
            }
            if task in table.labels:
                found['classes'] = classes(baseline, other, task)
                found['confusions'] = confusions(baseline, other, task, num_confusions)
                found['experts'] = {x.name: expert_share(baseline, other, x, task) for x in experts}
            tasks[task] = found
        comparisons.append({'baseline': baseline.name, 'model': other.name, 'tasks': tasks})
    return {
        'num_clips': len(table.sample_ids),
        'num_groups': len(np.unique(table.groups)),
        'level': LEVEL,
        'models': {group.name: list(group.paths) for group in (*groups, *experts)},
        'comparisons': comparisons,
    }


def differences(
    baseline: ScoreGroup, other: ScoreGroup, task: str, num_resamples: int
) -> list[dict[str, Any]]:
    """Top-1 on all clips and by split, ECE, NLL and Brier score, with intervals over videos.

    A split whose clips are of a single video has no interval, nor has anything of a single video.
    """
    table = baseline.tables[0]
    ours, theirs = other.top(task), baseline.top(task)
    gain_N = ours[1].mean(axis=0) - theirs[1].mean(axis=0)
    masks = {'': np.ones(len(gain_N), bool), **_splits(baseline, task)}
    rows = []
    for split, mask_N in masks.items():
        name = '/'.join(part for part in ('acc', split, task, 'top1') if part)
        groups = table.groups[mask_N]
        interval = None
        if len(np.unique(groups)) > 1:
            interval = paired_mean_interval(gain_N[mask_N], groups, num_resamples, LEVEL)
        values = [x[1][:, mask_N].mean(axis=1) for x in (theirs, ours)]
        rows.append(_difference(name, int(mask_N.sum()), values, interval))
    if len(np.unique(table.groups)) > 1:
        resamples = max(1, num_resamples // ECE_SHARE)
        interval = paired_ece_interval(ours, theirs, table.groups, resamples, LEVEL)
        values = [_ece_by_seed(x) for x in (theirs, ours)]
        rows.append(_difference(f'calibration/{task}/ece', len(gain_N), values, interval))
        theirs_SN, ours_SN = baseline.errors(task), other.errors(task)
        for name, errors_SN in theirs_SN.items():
            excess_N = ours_SN[name].mean(axis=0) - errors_SN.mean(axis=0)
            interval = paired_mean_interval(excess_N, table.groups, num_resamples, LEVEL)
            values = [x.mean(axis=1) for x in (errors_SN, ours_SN[name])]
            rows.append(_difference(f'calibration/{task}/{name}', len(gain_N), values, interval))
    return rows


def _splits(group: ScoreGroup, task: str) -> dict[str, np.ndarray]:
    """The splits that have clips, and what is left of tail and unseen."""
    masks = split_masks(group.tables[0], task)
    for name, rest in (('tail', 'head'), ('unseen', 'seen')):
        if name in masks:
            masks[rest] = ~masks[name]
    return {name: mask_N for name, mask_N in masks.items() if mask_N.any()}


def _ece_by_seed(top: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    ones_1N = np.ones((1, top[0].shape[1]))
    return np.array([weighted_ece(*seed, ones_1N)[0] for seed in zip(*top, strict=True)])


def _difference(
    name: str, num_clips: int, values: list[np.ndarray], interval: Interval | None
) -> dict[str, Any]:
    baseline_S, model_S = values
    return {
        'metric': name,
        'num_clips': num_clips,
        'baseline': baseline_S.tolist(),
        'model': model_S.tolist(),
        'difference': float(model_S.mean() - baseline_S.mean()),
        'interval': None if interval is None else [interval.low, interval.high],
    }


def mcnemar_by_seed(baseline: ScoreGroup, other: ScoreGroup, task: str) -> list[dict[str, Any]]:
    """McNemar's test for the first trainings of both, for the second ones, and so on."""
    pairs = zip(baseline.top(task)[1], other.top(task)[1], strict=False)
    keys = ('only_baseline', 'only_model', 'p_value')
    return [dict(zip(keys, mcnemar(*pair), strict=True)) for pair in pairs]


def agreements(baseline: ScoreGroup, other: ScoreGroup, task: str) -> dict[str, float | None]:
    """How often both give the same answer, and how often each does with itself over seeds."""
    theirs_SN, ours_SN = baseline.predicted(task), other.predicted(task)
    return {
        'between': agreement(theirs_SN, ours_SN),
        'baseline_seeds': agreement_between_seeds(theirs_SN),
        'model_seeds': agreement_between_seeds(ours_SN),
    }


def classes(baseline: ScoreGroup, other: ScoreGroup, task: str) -> list[dict[str, Any]]:
    """Accuracy on the clips of each class that has any, the largest gain in clips first."""
    labels_N, num_classes = _labels(baseline, task)
    theirs_K, ours_K = (
        class_accuracies(x.top(task)[1], labels_N, num_classes) for x in (baseline, other)
    )
    count_K = np.bincount(labels_N, minlength=num_classes)
    rows = [
        {
            'class': int(k),
            'num_clips': int(count_K[k]),
            'baseline': float(theirs_K[k]),
            'model': float(ours_K[k]),
        }
        for k in np.flatnonzero(count_K)
    ]
    return sorted(rows, key=lambda row: row['num_clips'] * (row['baseline'] - row['model']))


def confusions(
    baseline: ScoreGroup, other: ScoreGroup, task: str, how_many: int
) -> list[dict[str, Any]]:
    """Wrong answers that became more or less frequent, the greatest change first."""
    labels_N, num_classes = _labels(baseline, task)
    theirs_KK, ours_KK = (
        confusion(x.predicted(task), labels_N, num_classes) for x in (baseline, other)
    )
    change_KK = ours_KK - theirs_KK
    np.fill_diagonal(change_KK, 0)
    order = np.argsort(-np.abs(change_KK), axis=None, kind='stable')[:how_many]
    places = zip(*np.unravel_index(order, change_KK.shape), strict=True)
    return [
        {
            'class': int(k),
            'named': int(j),
            'baseline': float(theirs_KK[k, j]),
            'model': float(ours_KK[k, j]),
        }
        for k, j in places
        if change_KK[k, j]
    ]


def expert_share(
    baseline: ScoreGroup, other: ScoreGroup, expert: ScoreGroup, task: str
) -> dict[str, Any]:
    """See `learned_from`; `advantages` are by class, for classes with clips."""
    labels_N, num_classes = _labels(baseline, task)
    found = learned_from(
        *(x.top(task)[1] for x in (baseline, other, expert)), labels_N, num_classes
    )
    advantages = {str(k): float(found.advantage_K[k]) for k in np.unique(labels_N)}
    shares = ('known_of_gained', 'known_of_wrong', 'correlation')
    return {name: getattr(found, name) for name in shares} | {'advantages': advantages}


def _labels(group: ScoreGroup, task: str) -> tuple[np.ndarray, int]:
    table = group.tables[0]
    return table.labels[task], table.scores[task].shape[2]
