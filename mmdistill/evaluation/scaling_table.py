"""Calibration before and after temperature scaling, with intervals, as numbers and as a table."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..metrics import Interval, ScoreTable, divided_by_temperature, table_intervals, table_metrics
from ..metrics.temperature import HIGHEST, LOWEST
from .tables import Column, markdown_table

# Name and title of the errors that the table shows, in percent or not.
COLUMNS = (('ece', 'ECE', 100), ('nll', 'NLL', 1), ('brier', 'Brier', 1))


def check_apart(holdout: ScoreTable, test: ScoreTable, path: str) -> None:
    """Check that the holdout, read from `path`, is of the test's classes and of none of its clips.

    Raises:
        ValueError: It is not.
    """
    ours, theirs = (
        {task: x.shape[2] for task, x in sorted(table.scores.items())} for table in (test, holdout)
    )
    if ours != theirs:
        raise ValueError(
            f'The holdout {path} has the classes {theirs}, the test has {ours}: give dumps of one '
            'model.'
        )
    shared = np.intersect1d(holdout.sample_ids, test.sample_ids)
    if len(shared):
        raise ValueError(
            f'{path}: {len(shared)} clips are in the holdout and in the test, such as '
            f'{str(shared[0])!r}: temperatures that were fitted on test clips show nothing about '
            'the test.'
        )


def at_the_limit(temperatures: Mapping[str, float]) -> list[str]:
    """A sentence for every task of which the holdout has no best temperature."""
    return [
        f'the temperature of {task!r} is at the limit, {value:.4g}: the holdout is answered '
        'without an error, or no better than by chance; do not use it.'
        for task, value in temperatures.items()
        if not 1.01 * LOWEST < value < 0.99 * HIGHEST
    ]


def compare_scaling(
    table: ScoreTable, temperatures: Mapping[str, float], num_resamples: int = 1000
) -> dict[str, Any]:
    """Every metric before and after, with 95 % intervals.

    Returns:
        `num_samples`, `num_groups`, and `before` and `after`, each with `metrics` (name to value)
        and `intervals` (name to low and high); no intervals with less than two groups.
    """
    num_groups = len(set(table.groups.tolist()))
    result: dict[str, Any] = {'num_samples': len(table.sample_ids), 'num_groups': num_groups}
    scaled = divided_by_temperature(table, temperatures)
    for when, scores in (('before', table), ('after', scaled)):
        found: dict[str, Interval] = {}
        if num_groups > 1 and num_resamples:
            found = table_intervals(scores, num_resamples)
        result[when] = {
            'metrics': table_metrics(scores),
            'intervals': {name: [x.low, x.high] for name, x in found.items()},
        }
    return result


def scaling_columns() -> list[Column]:
    """The temperature, and before and after of every error."""
    columns = [Column('T', 'temperature', digits=3)]
    for name, title, factor in COLUMNS:
        digits = 1 if factor == 100 else 3
        for when in ('before', 'after'):
            columns.append(Column(f'{title} {when}', f'{name} {when}', factor, digits))
    return columns


def scaling_row(
    result: dict[str, Any], temperatures: Mapping[str, float], task: str
) -> dict[str, Any]:
    """Temperature and errors of a task, before and after, with intervals."""
    row: dict[str, Any] = {'title': task, 'temperature': temperatures.get(task), 'intervals': {}}
    for when in ('before', 'after'):
        for name, *_ in COLUMNS:
            key = f'calibration/{task}/{name}'
            row[f'{name} {when}'] = result[when]['metrics'][key]
            if key in result[when]['intervals']:
                row['intervals'][f'{name} {when}'] = result[when]['intervals'][key]
    return row


def scaling_markdown(result: dict[str, Any], temperatures: Mapping[str, float]) -> str:
    """The comparison as a Markdown table: a row per task, a pair of columns per error."""
    tasks = [n.split('/')[1] for n in result['before']['metrics'] if n.endswith('/ece')]
    rows = [scaling_row(result, temperatures, task) for task in tasks]
    return markdown_table(rows, scaling_columns())
