"""Fewer views of a clip than were tested, from one dump of all of them.

Shape legend: N = samples, V = views = crops x clips, K = classes.
MMAction2 packs views crop by crop, each with all its temporal clips: view = crop * clips + clip
(`FormatShape`); ThreeCrop's crops are left (or top), right (or bottom), middle.
"""

from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from .score_arrays import as_float64, log_softmax
from .score_table import ScoreTable
from .table_metrics import table_metrics

Reducer: TypeAlias = Literal['logits', 'probs']
# Of how many crops, how many are kept -> which: the middle one of ThreeCrop is CenterCrop's.
CROPS: dict[int, dict[int, tuple[int, ...]]] = {1: {1: (0,)}, 3: {1: (2,), 2: (0, 1), 3: (0, 1, 2)}}


class ViewScore(NamedTuple):
    """What a model is worth with some of the tested views, reduced in one way."""

    clips: int
    crops: int
    reducer: Reducer
    exact: bool  # whether a test with so many clips would have sampled these
    metrics: dict[str, float]


def check_views(table: ScoreTable, clips: int, crops: int) -> None:
    """Raise ValueError unless every sample has clips x crops views, 1 or 3 crops."""
    num_views = {scores_NVK.shape[1] for scores_NVK in table.scores.values()}
    if num_views != {clips * crops}:
        raise ValueError(
            f'The dump holds {sorted(num_views)} views of a clip, not {clips} clips x {crops} '
            'crops; give the num_clips of SampleFrames and the crops of the test pipeline.'
        )
    if crops not in CROPS:
        raise ValueError(f'Expected 1 crop (CenterCrop) or 3 (ThreeCrop), got {crops}.')


def clip_choice(clips: int, wanted: int) -> tuple[tuple[int, ...], bool]:
    """Which of evenly spread clips stand for fewer of them, and whether they are the same ones.

    `SampleFrames` puts one clip in the middle and several from end to end: of 5 clips, 1, 2, 3 and
    5 are those that it would sample (up to rounding to whole frames); otherwise the nearest.
    """
    if wanted == 1:
        return ((clips - 1) // 2,), clips % 2 == 1
    places = np.linspace(0, clips - 1, wanted).round().astype(int)
    return tuple(places.tolist()), (clips - 1) % (wanted - 1) == 0


def reduce_views(table: ScoreTable, views: tuple[int, ...], reducer: Reducer) -> ScoreTable:
    """Keep some views and average their logits or probabilities: logits of a single view."""
    if reducer not in get_args(Reducer):
        raise ValueError(f"Expected reducer 'logits' or 'probs', got {reducer!r}.")
    scores = {}
    for task, scores_NVK in table.scores.items():
        kept_NVK = as_float64(scores_NVK[:, list(views)])
        if reducer == 'logits':
            scores[task] = kept_NVK.mean(axis=1, keepdims=True)
        else:
            pooled = np.logaddexp.reduce(log_softmax(kept_NVK), axis=1, keepdims=True)
            scores[task] = pooled - np.log(len(views))
    return replace(table, scores=scores)


def score_views(table: ScoreTable, clips: int, crops: int) -> list[ViewScore]:
    """Accuracy and calibration for every number of clips and crops, and both reducers.

    Args:
        table: Logits of all views.
        clips: Temporal clips of the test pipeline.
        crops: Spatial crops of the test pipeline, 1 or 3.

    Raises:
        ValueError: The table has another number of views, or there are other crops.
    """
    check_views(table, clips, crops)
    found = []
    for num_clips in range(1, clips + 1):
        chosen, exact = clip_choice(clips, num_clips)
        for num_crops, which in CROPS[crops].items():
            views = tuple(crop * clips + clip for crop in which for clip in chosen)
            for reducer in get_args(Reducer):
                reduced = reduce_views(table, views, reducer)
                found.append(
                    ViewScore(num_clips, num_crops, reducer, exact, table_metrics(reduced))
                )
    return found
