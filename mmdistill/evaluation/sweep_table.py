"""A sweep as a table and a plot: mean and standard deviation over seeds at each point."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figures import GRID, INK, MUTED, STYLE

Row = dict[str, Any]  # axes, `runs`, and by metric its mean and `<metric> std`
RUNS, STD = 'runs', ' std'
NO_VALUE = 'none'
HIGHLIGHT = '#d1495b'


def sweep_rows(
    tested: Iterable[tuple[Mapping[str, Any], Mapping[str, float] | None]],
) -> list[Row]:
    """A row per point, in the order in which the points come first.

    The standard deviation is that of a sample (n - 1); one run has none.

    Args:
        tested: Of every run its point (axis to value) and its metrics, or None where it failed.
    """
    points: dict[str, Mapping[str, Any]] = {}
    results: dict[str, list[Mapping[str, float]]] = {}
    for point, metrics in tested:
        points[repr(point)] = point
        results.setdefault(repr(point), []).extend([] if metrics is None else [metrics])
    return [_row(points[key], found) for key, found in results.items()]


def _row(point: Mapping[str, Any], results: Sequence[Mapping[str, float]]) -> Row:
    row: Row = {**point, RUNS: len(results)}
    for name in results[0] if results else ():
        values = np.array([metrics[name] for metrics in results])
        row[name] = float(values.mean())
        if len(values) > 1:
            row[name + STD] = float(values.std(ddof=1))
    return row


def metric_names(rows: Sequence[Row]) -> list[str]:
    """The metrics that the rows have, sorted."""
    names = {key for row in rows for key in row if '/' in key and not key.endswith(STD)}
    return sorted(names)


def main_metrics(rows: Sequence[Row]) -> list[str]:
    """Top-1 accuracy and ECE of the action, or of every task where there is no action."""
    names = metric_names(rows)
    wanted = [n for n in ('acc/action/top1', 'calibration/action/ece') if n in names]
    kinds = (('acc/', '/top1'), ('calibration/', '/ece'))
    return wanted or [
        name
        for begin, end in kinds
        for name in names
        if name.startswith(begin) and name.endswith(end) and name.count('/') == 2
    ]


def to_csv(rows: Sequence[Row], axes: Sequence[str]) -> str:
    """The table as CSV, in fractions: axes, runs, then mean and standard deviation by metric."""
    columns = [column for name in metric_names(rows) for column in (name, name + STD)]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [*axes, RUNS, *columns], lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def best_row(rows: Sequence[Row], metric: str) -> Row | None:
    """The row with the highest accuracy, or the lowest error where that is what is measured."""
    measured = [row for row in rows if metric in row]
    pick = max if metric.startswith('acc/') else min
    return pick(measured, key=lambda row: row[metric]) if measured else None


def sweep_figure(rows: Sequence[Row], axes: Sequence[str], metrics: Sequence[str]) -> Figure:
    """A panel for every metric over every axis; points that differ in this axis alone are joined.

    Bars are standard deviations over seeds; the best point of each metric stands out. Axes of a
    single value have no panel.
    """
    varied = [axis for axis in axes if len(axis_values(rows, axis)) > 1] or list(axes)
    with matplotlib.rc_context(STYLE):
        size = (1.2 + 2.6 * len(varied), 0.6 + 2.2 * len(metrics))
        figure = Figure(figsize=size, layout='constrained')
        panels = figure.subplots(len(metrics), len(varied), squeeze=False, sharey='row')
        for metric, line in zip(metrics, panels, strict=True):
            for axis, panel in zip(varied, line, strict=True):
                _draw(panel, [row for row in rows if metric in row], axis, axes, metric)
                panel.set_xlabel(axis)
            line[0].set_ylabel(f'{metric}, %')
    return figure


def _draw(panel: Axes, rows: Sequence[Row], axis: str, axes: Sequence[str], metric: str) -> None:
    ticks = axis_values(rows, axis)
    best = best_row(rows, metric)
    lines: dict[str, list[Row]] = {}
    for row in rows:
        others = repr([row.get(other) for other in axes if other != axis])
        lines.setdefault(others, []).append(row)
    for line in lines.values():
        line.sort(key=lambda row: ticks.index(row.get(axis, NO_VALUE)))
        places = [ticks.index(row.get(axis, NO_VALUE)) for row in line]
        means = [100 * row[metric] for row in line]
        spreads = [100 * row.get(metric + STD, 0.0) for row in line]
        panel.errorbar(
            places, means, spreads, color=MUTED, marker='o', markersize=3, linewidth=1, alpha=0.7
        )
        for place, mean, row in zip(places, means, line, strict=True):
            if row is best:
                panel.plot(place, mean, 'o', color=HIGHLIGHT, markersize=7, zorder=3)
                panel.annotate(
                    f'{mean:.1f}', (place, mean), (5, 5), textcoords='offset points', color=INK
                )
    panel.set_xticks(range(len(ticks)), [_tick(value) for value in ticks])
    panel.margins(x=0.15)
    panel.grid(axis='y', color=GRID)


def axis_values(rows: Sequence[Row], axis: str) -> list[Any]:
    """The values on an axis, numbers in their order, others as they come; no value goes last."""
    values = list(dict.fromkeys(row[axis] for row in rows if axis in row))
    if all(isinstance(value, (int, float)) for value in values):
        values.sort()
    return values + ([NO_VALUE] if any(axis not in row for row in rows) else [])


def _tick(value: Any) -> str:
    text = f'{value:g}' if isinstance(value, float) else str(value)
    return text.rpartition('/')[2].removesuffix('.py')
