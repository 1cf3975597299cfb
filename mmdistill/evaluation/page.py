"""The pictures of a report's page: reliability, accuracy over cost, views, curves of trainings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..metrics import ScoreTable, ViewScore, divided_by_temperature, reliability_by_task
from .colours import model_colours
from .cost_figures import AXES, pareto_plot
from .figures import curves_plot, reliability_diagram
from .html import svg_uri
from .missing_table import ALL, missing_plot
from .report_data import curve, smoothed
from .report_tables import distinct
from .view_table import KEYS, views_plot

Row = Mapping[str, Any]


def reliability_pictures(
    rows: Sequence[Row], tables: Mapping[str, ScoreTable], tasks: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Task to a figure per model: its diagram, and where it was scaled the one afterwards."""
    colours = model_colours(rows)
    shown: dict[str, list[dict[str, Any]]] = {task: [] for task in tasks}
    for row in distinct(rows):
        table, colour = tables[row['name']], colours[row['name']]
        sides = [('before scaling' if 'scaled' in row else 'as tested', table, row)]
        if 'scaled' in row:
            scaled = divided_by_temperature(table, row['temperatures'])
            sides.append(('after', scaled, row['scaled']['metrics']))
        bins = [(name, reliability_by_task(x, 'logits'), numbers) for name, x, numbers in sides]
        for task in tasks:
            figure = {'title': row['title'], 'sources': []}
            for name, found, numbers in bins:
                ece = numbers[f'calibration/{task}/ece']
                title = _temperature(name, row, task)
                figure['sources'].append(
                    svg_uri(reliability_diagram(found[task], title, ece, colour))
                )
            shown[task].append(figure)
    return shown


def _temperature(name: str, row: Row, task: str) -> str:
    if name != 'after' or task not in row['temperatures']:
        return name
    return f'T = {row["temperatures"][task]:.2f}'


def curve_pictures(
    rows: Sequence[Row], trained_in: Mapping[str, Path], tasks: Sequence[str]
) -> list[tuple[str, str]]:
    """Accuracy and loss along the training, of the rows that were trained.

    Args:
        rows: The rows of the report.
        trained_in: Row name to the work dir of its training.
        tasks: The tasks of the report.
    """
    titles = {row['name']: row['title'] for row in rows}
    colours = model_colours(rows)
    # MMEngine averages what it logs of losses only: an accuracy is that of one small batch.
    batches = [(f'Training clips, {task} top-1 (mean of 10)', f'{task}/top1_acc') for task in tasks]
    batches.append(('Training clips, top-1 (mean of 10)', 'top1_acc'))
    panels = [
        *((f'Validation, {t} top-1', f'acc/{t}/top1', 'epoch', '%', 100.0, 1) for t in tasks),
        *((title, key, 'iteration', '%', 100.0, 10) for title, key in batches),
        ('Training loss, each its own terms', 'loss', 'iteration', 'loss', 1.0, 1),
    ]
    plots = []
    for title, key, label_x, label_y, scale, span in panels:
        found = {}
        for name, folder in trained_in.items():
            steps, values = curve(folder, key)
            # A single validation at the end is in the table; it makes no curve.
            if len(steps) > 1:
                found[name] = steps, smoothed(values, span)
        if found:
            svg = curves_plot(found, titles, label_x, label_y, scale, colours)
            plots.append((title, svg_uri(svg)))
    return plots


def pareto_pictures(rows: Sequence[Row], task: str) -> list[str]:
    """Accuracy over operations and over latency, of the models whose cost was measured."""
    metric, colours = f'acc/{task}/top1', model_colours(rows)
    models = [
        {
            **row['cost'],
            'name': row['name'],
            'title': row['title'],
            'colour': colours[row['name']],
            'metrics': {metric: row[metric]},
        }
        for row in distinct(rows)
        if 'cost' in row
    ]
    if len(models) < 2:
        return []
    return [svg_uri(pareto_plot(models, metric, [key])) for key in AXES]


def views_pictures(
    rows: Sequence[Row], views: Mapping[str, Sequence[ViewScore]], task: str
) -> list[str]:
    """Top-1 and ECE over the number of views.

    Args:
        rows: The rows of the report.
        views: Title of a model to its scores with fewer views.
        task: What is drawn.
    """
    if not views:
        return []
    colours = model_colours(rows)
    by_title = {row['title']: colours[row['name']] for row in rows}
    return [svg_uri(views_plot(views, task, by_title, [panel])) for panel in KEYS[:2]]


def missing_pictures(missing: Mapping[str, Any], task: str) -> list[tuple[str, str]]:
    """Titles and drop curves: of all modalities together, then of each alone.

    Args:
        missing: See `read_missing`; nothing where no models were compared.
        task: What is drawn.
    """
    found = missing.get('tasks', {}).get(task)
    if not found:
        return []
    return [
        (
            'Any modality may be lost' if dropped == ALL else f'Only {dropped} may be lost',
            svg_uri(missing_plot(found['drops'], task, found['lines'], dropped)),
        )
        for dropped in (ALL, *missing['modalities'])
    ]


def weight_bars(rows: Sequence[Row]) -> list[tuple[str, dict[str, dict[str, float]]]]:
    """Titles and weights of the teachers, those with the same weights together."""
    found: dict[str, tuple[list[str], dict[str, Any]]] = {}
    for row in rows:
        weights = row.get('teacher_weights')
        if weights:
            rounded = {t: {e: round(w, 3) for e, w in x.items()} for t, x in weights.items()}
            found.setdefault(repr(rounded), ([], weights))[0].append(row['title'])
    return [(', '.join(titles), weights) for titles, weights in found.values()]
