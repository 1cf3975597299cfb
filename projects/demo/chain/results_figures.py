"""The rows of a results page against the baseline, as intervals: SVG text."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from mmdistill.evaluation.figures import GRID, INK, MUTED, PALETTE, STYLE, to_svg

from .measured_rows import RowResult

PANELS = (
    ('acc/action/top1', 'action top-1, points', 100.0),
    ('calibration/action/ece', 'action ECE, points', 100.0),
    ('calibration/action/nll', 'action NLL, nats', 1.0),
)


def changes_plot(results: Sequence[RowResult]) -> str:
    """A line per row and a panel per metric: the change and its interval, coloured by part."""
    shown = [result for result in results if result.changes]
    parts = list(dict.fromkeys(result.row.part for result in shown))
    shown.sort(key=lambda result: parts.index(result.row.part))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 1.0 + 0.24 * len(shown)), layout='constrained')
        panels = figure.subplots(1, len(PANELS), sharey=True)
        for axes, (metric, title, scale) in zip(panels, PANELS, strict=True):
            for place, result in enumerate(shown):
                change = result.changes[metric]
                colour = PALETTE[parts.index(result.row.part) % len(PALETTE)]
                ends = scale * np.array(change['interval'])
                axes.plot(ends, [place, place], color=colour, linewidth=2)
                axes.plot(scale * change['difference'], place, 'o', color=colour, markersize=4)
            axes.axvline(0, color=MUTED, linewidth=1, linestyle='--')
            axes.set_title(title, fontsize=9, loc='left')
            axes.grid(axis='x', color=GRID)
            axes.set_axisbelow(True)
        titles = [_title(result) for result in shown]
        panels[0].set_yticks(range(len(shown)), titles, color=INK)
        panels[0].invert_yaxis()
        return to_svg(figure)


def _title(result: RowResult) -> str:
    kind = '' if result.row.kind == 'trained' else f'{result.row.kind}: '
    return f'{kind}{result.row.title}'
