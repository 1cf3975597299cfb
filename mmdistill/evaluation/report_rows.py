"""The rows of report.json: what every model is worth, with intervals, and what scaling does.

Shape legend: N = clips.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..metrics import (
    ScoreTable,
    ViewScore,
    fit_temperatures,
    score_views,
    table_intervals,
    table_metrics,
)
from .comparison import differences
from .measure import ModelCost
from .predictions import tasks_of
from .report_config import ReportModel
from .report_data import read_metrics
from .scaling_table import check_apart, compare_scaling
from .score_groups import ScoreGroup, alike, checked_scores_of

# Metrics are written with the precision of a float32's sums.
TOLERANCE = 1e-3


class ModelScores(NamedTuple):
    """The dumps of a model."""

    table: ScoreTable
    holdout: ScoreTable | None = None
    views: Sequence[ViewScore] = ()

    @property
    def num_views(self) -> int:
        """How many views of a clip the test had."""
        return next(iter(self.table.scores.values())).shape[1]


def load_model_scores(models: Sequence[ReportModel]) -> dict[str, ModelScores]:
    """Read all dumps, those of tests and views in the order of clips of the first test.

    Raises:
        ValueError: A dump is damaged, of other clips, classes or labels than the first, or holds
            another number of views than the config says; or a holdout has clips of the test.
    """
    first: ScoreTable | None = None
    found = {}
    for model in models:
        table = checked_scores_of(model.scores)
        first = first or table
        table = alike(table, first, model.scores)
        holdout = _holdout(model.files.holdout, table)
        found[model.name] = ModelScores(table, holdout, _views(model, first))
    return found


def _holdout(path: str | None, test: ScoreTable) -> ScoreTable | None:
    if path is None:
        return None
    holdout = checked_scores_of(path)
    check_apart(holdout, test, path)
    return holdout


def _views(model: ReportModel, first: ScoreTable) -> list[ViewScore]:
    if model.files.views is None:
        return []
    dump, clips, crops = model.files.views
    return score_views(alike(checked_scores_of(dump), first, dump), clips, crops)


def build_row(
    model: ReportModel, scores: ModelScores, reads: Sequence[str], num_resamples: int = 1000
) -> dict[str, Any]:
    """A model's row: identity, metrics as fractions, 95 % intervals, temperatures if it has any.

    Raises:
        ValueError: Metrics and dump are not of the same test.
    """
    tested = read_metrics(model.metrics)
    metrics = table_metrics(scores.table)
    _check_same_test(model, tested['metrics'], metrics)
    return {
        'name': model.name,
        'title': model.title,
        'role': model.role,
        'num_samples': tested['num_samples'],
        'num_groups': len(set(scores.table.groups.tolist())),
        'reads': list(reads),
        'config': model.config,
        'checkpoint_sha256': tested.get('checkpoint_sha256'),
        'selected': tested.get('selected') or '',
        **metrics,
        **_calibration(scores, num_resamples),
    }


def _check_same_test(
    model: ReportModel, written: Mapping[str, float], own: Mapping[str, float]
) -> None:
    shared = [name for name in own if name.startswith('acc/') and name in written]
    wrong = [name for name in shared if abs(own[name] - written[name]) > TOLERANCE]
    if wrong:
        raise ValueError(
            f'{model.metrics} says {wrong[0]} = {written[wrong[0]]:.4f}, but {model.scores} gives '
            f'{own[wrong[0]]:.4f}: they are of different tests. Write both at once with '
            f'`{model.test_command} --out … --dump …`.'
        )


def _calibration(scores: ModelScores, num_resamples: int) -> dict[str, Any]:
    """Intervals of accuracy and calibration, and the same after temperature scaling."""
    table = scores.table
    if scores.holdout is None:
        several = len(set(table.groups.tolist())) > 1
        found = table_intervals(table, num_resamples) if several else {}
        return {'intervals': {name: [x.low, x.high] for name, x in found.items()}}
    temperatures = fit_temperatures(scores.holdout)
    result = compare_scaling(table, temperatures, num_resamples)
    return {
        'intervals': result['before']['intervals'],
        'temperatures': temperatures,
        'num_holdout': len(scores.holdout.sample_ids),
        'scaled': result['after'],
    }


def cost_of_row(cost: ModelCost, num_views: int) -> dict[str, Any]:
    """The part of a row that says what an answer costs: operations per view, the rest per clip."""
    total = cost.total
    row = {
        'params': total.params,
        'flops': total.flops // num_views,
        'latency_ms': round(total.latency_ms, 2),
        'p95_ms': round(total.p95_ms, 2),
        'peak_bytes': total.peak_bytes,
        'cost': cost.as_dict(),
    }
    if 'flow' in cost.parts:
        row['flops_note'] = 'without the extraction of flow, which is outside PyTorch'
    return row


def difference_row(
    baseline: ReportModel,
    model: ReportModel,
    scores: Mapping[str, ModelScores],
    num_resamples: int = 10_000,
) -> dict[str, Any]:
    """Model minus baseline on the same clips, with paired intervals by video; see `differences`."""
    groups = [ScoreGroup(x.name, (x.scores,), (scores[x.name].table,)) for x in (baseline, model)]
    row: dict[str, Any] = {name: getattr(model, name) for name in ('name', 'title', 'role')}
    intervals = {}
    for task in tasks_of(groups[1].tables[0]):
        for found in differences(groups[0], groups[1], task, num_resamples):
            row[found['metric']] = found['difference']
            if found['interval']:
                intervals[found['metric']] = found['interval']
    return row | {'intervals': intervals}
