"""Small plots side by side, as SVG."""

from pathlib import Path
from typing import NamedTuple

import matplotlib
from matplotlib.figure import Figure

from mmdistill.evaluation.figures import GRID, STYLE, to_svg
from mmdistill.files import write_whole

COLOURS = dict(mmdistill='#d1495b', floor='#52606d')
COLUMNS = 4


class Curve(NamedTuple):
    """Milliseconds of something while something grows: name of a contender to values."""

    what: str
    over: str
    points: list[int]
    milliseconds: dict[str, list[float]]


def write_panels(curves: list[Curve], path: Path) -> str:
    """Draw every curve in a panel of its own; returns the file's name."""
    rows = -(-len(curves) // COLUMNS)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2.6 * COLUMNS, 2.4 * rows), layout='constrained')
        panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes, curve in zip(panels, curves, strict=False):
            _draw(axes, curve)
        for axes in panels[len(curves) :]:
            axes.remove()
        write_whole(path, to_svg(figure).encode())
    return path.name


def _draw(axes, curve: Curve) -> None:
    for name, values in curve.milliseconds.items():
        axes.plot(curve.points, values, COLOURS[name], marker='o', label=name)
    if curve.points[-1] > 20 * curve.points[0]:
        axes.set_xscale('log')
    axes.set_ylim(0, 1.1 * max(map(max, curve.milliseconds.values())))
    axes.set_title(f'{curve.what}, ms', fontsize=9, loc='left')
    axes.set_xlabel(curve.over)
    axes.grid(axis='y', color=GRID)
    if len(curve.milliseconds) > 1:
        axes.legend(frameon=False, fontsize=8)
