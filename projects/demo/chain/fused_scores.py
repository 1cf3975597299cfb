"""A teacher's scores without running it: the dumps of its experts, fused with weights from a cache.

Shape legend: N = clips, M = experts, K = classes.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from mmdistill.cache.cached_teacher import CachedTeacher
from mmdistill.metrics import ScoreTable


class FusedScores(NamedTuple):
    """What a teacher says about the clips of its experts' dumps.

    Args:
        table: Its logits, of one view.
        weights: Task to expert to weight.
    """

    table: ScoreTable
    weights: dict[str, dict[str, float]]


def fused_scores(cache: Path, weighting: dict, experts: Mapping[str, ScoreTable]) -> FusedScores:
    """Sum the experts' logits as `MultimodalTeacher` would: each with its mean over the views.

    Args:
        cache: A teacher cache of these experts, on whose holdout the weighting is fitted.
        weighting: As `MultimodalTeacher` takes it; one that is the same for all clips.
        experts: Name to logits, all in the same order of clips.

    Raises:
        ValueError: The cache lacks a holdout, or the weighting is one of each clip's own.
    """
    teacher = CachedTeacher(cache, weighting, experts=list(experts))
    if teacher.needs_holdout:
        if teacher.holdout is None:
            raise ValueError(
                f'{cache} has no holdout to weigh the experts on: write it with a config that has '
                'a holdout_dataloader.'
            )
        teacher.fit_weighting(*teacher.holdout)
    first = next(iter(experts.values()))
    logits, weights = {}, {}
    for task in first.scores:
        stacked = [torch.from_numpy(table.mean_scores(task)) for table in experts.values()]
        logits_NMK = torch.stack(stacked, dim=1)
        weighting = teacher.weightings[task]
        found_M = weighting.weights(weighting.scaled(logits_NMK), None)
        if found_M.ndim != 1:
            raise ValueError(
                f'{type(weighting).__name__} weighs every clip by itself: test the '
                'teacher with mmdistill test.'
            )
        logits[task] = weighting.fused(logits_NMK, None)[:, None].numpy()
        weights[task] = dict(zip(experts, found_M.tolist(), strict=True))
    return FusedScores(replace(first, scores=logits), weights)
