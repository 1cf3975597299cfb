"""The rows of a results page: what was measured with each seed, and against the baseline."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mmdistill.evaluation.comparison import differences
from mmdistill.evaluation.predictions import tasks_of
from mmdistill.evaluation.score_groups import ScoreGroup
from mmdistill.metrics import ScoreTable, ViewScore, table_metrics

from .results_rows import ResultRow


class RowResult(NamedTuple):
    """A row that was measured.

    Args:
        row: What it is.
        metrics: Seed to metric to value, fractions and nats.
        changes: Metric to its row of `differences` to the baseline; empty with a single seed.
        weights: Of a teacher, task to expert to weight, mean over the seeds.
    """

    row: ResultRow
    metrics: dict[int, dict[str, float]]
    changes: dict[str, dict[str, Any]]
    weights: dict[str, dict[str, float]]


def measure_row(
    row: ResultRow,
    tables: Mapping[int, ScoreTable],
    baseline: Mapping[int, ScoreTable],
    num_resamples: int = 10_000,
    weights: Sequence[Mapping[str, Mapping[str, float]]] = (),
) -> RowResult:
    """Metrics of each seed, and the paired comparison with the baseline of the same seeds.

    Args:
        row: What was tested.
        tables: Seed to scores.
        baseline: Seed to the baseline's scores, of all seeds of `tables` or more.
        num_resamples: Of the bootstrap over videos.
        weights: Of a teacher, for each seed.
    """
    metrics = {seed: table_metrics(table) for seed, table in tables.items()}
    changes = {}
    if len(tables) > 1 and any(baseline[seed] is not table for seed, table in tables.items()):
        theirs, ours = (
            ScoreGroup(name, (), tuple(found[seed] for seed in tables))
            for name, found in (('baseline', baseline), (row.name, tables))
        )
        for task in tasks_of(ours.tables[0]):
            found = differences(theirs, ours, task, num_resamples)
            changes |= {change['metric']: change for change in found}
    return RowResult(row, metrics, changes, mean_weights(weights))


def mean_weights(
    weights: Sequence[Mapping[str, Mapping[str, float]]],
) -> dict[str, dict[str, float]]:
    """The mean over seeds of task to expert to weight."""
    if not weights:
        return {}
    return {
        task: {name: float(np.mean([w[task][name] for w in weights])) for name in experts}
        for task, experts in weights[0].items()
    }


def results_csv(results: Sequence[RowResult]) -> str:
    """A line per row, seed and metric; fractions, nats."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator='\n')
    writer.writerow(['row', 'part', 'title', 'seed', 'metric', 'value'])
    for result in results:
        row = result.row
        for seed, metrics in result.metrics.items():
            for metric, value in sorted(metrics.items()):
                writer.writerow([row.name, row.part, row.title, seed, metric, f'{value:.6g}'])
    return file.getvalue()


def mean_views(scores: Sequence[Sequence[ViewScore]]) -> list[ViewScore]:
    """The mean over seeds of what each number of views gives.

    Args:
        scores: What `score_views` gave for the dump of each seed.
    """
    return [
        same[0]._replace(
            metrics={key: float(np.mean([s.metrics[key] for s in same])) for key in same[0].metrics}
        )
        for same in zip(*scores, strict=True)
    ]
