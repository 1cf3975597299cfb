"""Accuracy and ECE over the number of views, of several models: CSV, Markdown, a plot."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..metrics import ViewScore
from .figures import GRID, STYLE, colour_of, to_svg
from .tables import Column, markdown_table

LINES = {'logits': '-', 'probs': '--'}
MARKERS = {1: 'o', 2: 's', 3: '^'}

KEYS = (('acc', 'top1'), ('calibration', 'ece'), ('calibration', 'nll'))

ModelViews = Mapping[str, Sequence[ViewScore]]  # name of a model to its scores


def views_csv(models: ModelViews, tasks: Sequence[str]) -> str:
    """A line per model, clips, crops and reducer; metrics under their names, as fractions."""
    names = [f'{kind}/{task}/{m}' for task in tasks for kind, m in KEYS]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator='\n')
    writer.writerow(['model', 'clips', 'crops', 'views', 'reducer', 'exact', *names])
    for model, scores in models.items():
        for s in scores:
            values = [s.metrics[name] for name in names]
            where = [s.clips, s.crops, s.clips * s.crops, s.reducer, str(s.exact).lower()]
            writer.writerow([model, *where, *values])
    return file.getvalue()


def view_columns(models: ModelViews) -> list[Column]:
    """Top-1 and ECE of every model, in percent."""
    kinds = (('top-1', 'top1'), ('ECE', 'ece'))
    return [
        Column(f'{name} {title}', f'{name} {kind}', 100.0)
        for name in models
        for title, kind in kinds
    ]


def view_rows(models: ModelViews, task: str) -> list[dict[str, Any]]:
    """A row per number of clips, crops and reducer; marked where other clips stand for them."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for name, scores in models.items():
        for s in scores:
            place = s.clips, s.crops, s.reducer
            row = rows.setdefault(place, {'exact': True})
            row[f'{name} top1'] = s.metrics[f'acc/{task}/top1']
            row[f'{name} ece'] = s.metrics[f'calibration/{task}/ece']
            row['exact'] &= s.exact
    return [
        {'title': f'{clips} x {crops}{"" if row["exact"] else "*"}, mean {reducer}', **row}
        for (clips, crops, reducer), row in sorted(rows.items())
    ]


def views_markdown(models: ModelViews, task: str) -> str:
    """Top-1 and ECE of one task in percent, the models side by side."""
    rows = view_rows(models, task)
    text = markdown_table(rows, view_columns(models), f'{task}: clips x crops')
    note = '\n\\* the nearest of the tested clips: a test of so many would sample others.\n'
    return text + ('' if all(row['exact'] for row in rows) else note)


def views_plot(
    models: ModelViews,
    task: str,
    colours: Mapping[str, str] | None = None,
    panels: Sequence[tuple[str, str]] = KEYS[:2],
) -> str:
    """Top-1 and ECE over the number of clips: a colour per model, a marker per number of crops.

    Args:
        models: Name of a model to its scores.
        task: What is drawn.
        colours: Name of a model to its colour; default: see `colour_of`.
        panels: Some of `KEYS`, a panel each.
    """
    colours = colours or {name: colour_of(name, i) for i, name in enumerate(models)}
    with matplotlib.rc_context(STYLE):
        width = 4.2 * len(panels) if len(panels) > 1 else 4.6
        figure = Figure(figsize=(width, 3.6), layout='constrained')
        drawn = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (kind, metric) in zip(drawn, panels, strict=True):
            for name, scores in models.items():
                _draw_model(axes, name, scores, f'{kind}/{task}/{metric}', colours[name])
            axes.set_title(f'{task}, {"top-1" if metric == "top1" else "ECE"}, %', loc='left')
            axes.set_xlabel('clips of a video')
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(axis='y', color=GRID)
            axes.set_axisbelow(True)
        handles, labels = axes.get_legend_handles_labels()
        columns = 3 if len(panels) > 1 else 2
        figure.legend(
            handles, labels, loc='outside lower center', ncols=columns, frameon=False, fontsize=8
        )
        return to_svg(figure)


def _draw_model(axes: Axes, name: str, scores: Sequence[ViewScore], key: str, colour: str) -> None:
    for crops in sorted({s.crops for s in scores}):
        for reducer, line in LINES.items():
            chosen = [s for s in scores if (s.crops, s.reducer) == (crops, reducer)]
            axes.plot(
                [s.clips for s in chosen],
                [100 * s.metrics[key] for s in chosen],
                line,
                color=colour,
                marker=MARKERS[crops],
                markersize=4,
                linewidth=1.3,
                label=f'{name}, {crops} crop{"s" * (crops > 1)}, mean {reducer}',
            )
