"""Accuracy and ECE over the number of views, of several models: CSV, Markdown, a plot."""

import csv
import io
from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.figure import Figure

from ..metrics import ViewScore
from .figures import GRID, STYLE, colour_of, to_svg
from .tables import markdown_lines

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


def views_markdown(models: ModelViews, task: str) -> str:
    """Top-1 and ECE of one task in percent, the models side by side."""
    titles = [title for name in models for title in (f'{name}, top-1', 'ECE')]
    rows = []
    by_place = {
        name: {(s.clips, s.crops, s.reducer): s for s in scores} for name, scores in models.items()
    }
    places = sorted({place for found in by_place.values() for place in found})
    for clips, crops, reducer in places:
        cells, nearest = [], False
        for found in by_place.values():
            score = found.get((clips, crops, reducer))
            cells += _cells(score, task)
            nearest = nearest or (score is not None and not score.exact)
        views = f'{clips} x {crops}{"*" if nearest else ""}'
        rows.append([views, reducer, *cells])
    lines = markdown_lines([f'{task}: clips x crops', 'mean of', *titles], rows)
    note = '\n\\* the nearest of the tested clips: a test of so many would sample others.\n'
    return '\n'.join(lines) + '\n' + (note if any('*' in line for line in lines[2:]) else '')


def _cells(score: ViewScore | None, task: str) -> list[str]:
    if score is None:
        return ['–', '–']
    keys = (f'acc/{task}/top1', f'calibration/{task}/ece')
    return [f'{100 * score.metrics[key]:.1f}' for key in keys]


def views_plot(models: ModelViews, task: str) -> str:
    """Top-1 and ECE over the number of clips: a colour per model, a marker per number of crops."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 3.6), layout='constrained')
        panels = zip(figure.subplots(1, 2), (('acc', 'top1'), ('calibration', 'ece')), strict=True)
        for axes, (kind, metric) in panels:
            for number, (name, scores) in enumerate(models.items()):
                key = f'{kind}/{task}/{metric}'
                _draw_model(axes, name, scores, key, colour_of(name, number))
            axes.set_title(f'{task}, {"top-1" if metric == "top1" else "ECE"}, %', loc='left')
            axes.set_xlabel('clips of a video')
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(axis='y', color=GRID)
            axes.set_axisbelow(True)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(
            handles, labels, loc='outside lower center', ncols=3, frameon=False, fontsize=8
        )
        return to_svg(figure)


def _draw_model(axes, name: str, scores: Sequence[ViewScore], key: str, colour: str) -> None:
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
