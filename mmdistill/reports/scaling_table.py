"""Calibration before and after temperature scaling, with intervals, as numbers and as a table."""

from collections.abc import Mapping
from typing import Any

from ..metrics import Interval, ScoreTable, divided_by_temperature, table_intervals, table_metrics
from .tables import markdown_lines

# Name and title of the errors that the table shows, in percent or not.
COLUMNS = (('ece', 'ECE, %', 100), ('nll', 'NLL', 1), ('brier', 'Brier', 1))


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


def scaling_markdown(result: dict[str, Any], temperatures: Mapping[str, float]) -> str:
    """The comparison as a Markdown table: a row per task, a pair of columns per error."""
    titles = [f'{title} {when}' for _, title, _ in COLUMNS for when in ('before', 'after')]
    rows = []
    tasks = [n.split('/')[1] for n in result['before']['metrics'] if n.endswith('/ece')]
    for task in tasks:
        temperature = temperatures.get(task)
        cells = [task, '–' if temperature is None else f'{temperature:.3f}']
        for name, _, scale in COLUMNS:
            key = f'calibration/{task}/{name}'
            cells += [_cell(result[when], key, scale) for when in ('before', 'after')]
        rows.append(cells)
    return '\n'.join(markdown_lines(['', 'T', *titles], rows)) + '\n'


def _cell(side: dict[str, Any], key: str, scale: float) -> str:
    digits = 1 if scale == 100 else 3
    text = f'{scale * side["metrics"][key]:.{digits}f}'
    if key in side['intervals']:
        low, high = (f'{scale * end:.{digits}f}' for end in side['intervals'][key])
        text += f' [{low}, {high}]'
    return text
