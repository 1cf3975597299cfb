"""Plots of the report, as SVG text; and drawings as images, for those who show no SVG."""

import io
from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..metrics import ReliabilityBins

INK, MUTED, GRID = '#1f2933', '#7b8794', '#e4e7eb'
COLOURS = {
    'rgb_baseline': '#52606d',
    'rgb_expert': '#9aa5b1',
    'flow_expert': '#2f8f9d',
    'obj_expert': '#8a5bb5',
    'teacher_uniform': '#d9a441',
    'teacher': '#3d6fb6',
    'student': '#d1495b',
}
EXPERT_COLOURS = {'rgb': '#9aa5b1', 'flow': '#2f8f9d', 'obj': '#8a5bb5'}
# Of models that the demo does not know, well apart in hue and in lightness.
PALETTE = ('#b5651d', '#3f7d20', '#c2548f', '#1f2933', '#00798c', '#7b8794')
STYLE: Any = {
    'font.family': 'sans-serif',
    'font.size': 9,
    'svg.fonttype': 'none',
    'text.parse_math': False,  # names of models and classes are no formulas
    # Without these two the same plot differs from run to run.
    'svg.hashsalt': 'mmdistill',
    'axes.edgecolor': GRID,
    'axes.labelcolor': MUTED,
    'text.color': INK,
    'xtick.color': MUTED,
    'ytick.color': MUTED,
    'axes.spines.top': False,
    'axes.spines.right': False,
}


def colour_of(name: str, number: int) -> str:
    """The colour of a model: that of the demo's row of this name, or the number-th of others."""
    known = EXPERT_COLOURS | COLOURS
    return known.get(name, PALETTE[number % len(PALETTE)])


def to_svg(figure: Figure) -> str:
    """The drawing as SVG text, without the XML header."""
    buffer = io.StringIO()
    figure.savefig(buffer, format='svg', transparent=True, metadata={'Date': None})
    text = buffer.getvalue()
    return text[text.index('<svg') :]


def to_image(figure: Figure) -> np.ndarray:
    """The drawing as RGB pixels, (H, W, 3) uint8; needs no display."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def reliability_diagram(bins: ReliabilityBins, title: str, ece: float, colour: str) -> str:
    """Accuracy over confidence, with the share of clips per bin below."""
    with matplotlib.rc_context(STYLE):
        return to_svg(reliability_figure(bins, title, ece, colour))


def reliability_figure(bins: ReliabilityBins, title: str, ece: float, colour: str) -> Figure:
    """The drawing of `reliability_diagram`."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2.8, 3.2), layout='constrained')
        upper, lower = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
        _draw_reliability(upper, bins, colour)
        upper.set_title(title, fontsize=9, fontweight='bold', loc='left')
        upper.set_title(f'ECE {100 * ece:.1f} %', fontsize=8, color=MUTED, loc='right')
        upper.set_ylabel('accuracy, %')
        width = np.diff(bins.edges)
        share_B = 100 * bins.count_B / max(1, bins.count_B.sum())
        lower.bar(bins.edges[:-1], share_B, width, align='edge', color=GRID, edgecolor='white')
        lower.set_ylabel('clips, %')
        lower.set_xlabel('confidence, %')
        lower.set_xticks([0, 0.5, 1], ['0', '50', '100'])
        lower.set_xlim(0, 1)
        return figure


def _draw_reliability(axes: Axes, bins: ReliabilityBins, colour: str) -> None:
    filled_B = bins.count_B > 0
    left_B, width_B = bins.edges[:-1][filled_B], np.diff(bins.edges)[filled_B]
    accuracy_B, confidence_B = bins.accuracy_B[filled_B], bins.confidence_B[filled_B]
    axes.bar(left_B, accuracy_B, width_B, align='edge', color=colour, edgecolor='white', alpha=0.85)
    axes.bar(
        left_B,
        confidence_B - accuracy_B,
        width_B,
        bottom=accuracy_B,
        align='edge',
        facecolor='none',
        edgecolor=INK,
        hatch='/////',
        linewidth=0.5,
        alpha=0.3,
    )
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle='--')
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ['0', '50', '100'])


def curves_plot(
    curves: Mapping[str, tuple[list[float], list[float]]],
    titles: Mapping[str, str],
    label_x: str,
    label_y: str,
    scale: float = 1.0,
    colours: Mapping[str, str] | None = None,
) -> str:
    """Lines over training steps, named above them.

    Args:
        curves: Row name to steps and values.
        titles: Row name to what people call it.
        label_x: Name of the horizontal axis.
        label_y: Name of the vertical axis.
        scale: Factor on the values, 100 for percent.
        colours: Row name to colour; default: see `colour_of`.
    """
    colours = colours or {name: colour_of(name, i) for i, name in enumerate(curves)}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.4, 3.2), layout='constrained')
        axes = figure.subplots()
        for name, (steps, values) in curves.items():
            heavy = 2.2 if name == 'student' else 1.4
            scaled = [scale * value for value in values]
            marker = 'o' if len(steps) < 3 else None
            axes.plot(
                steps, scaled, colours[name], label=titles[name], linewidth=heavy, marker=marker
            )
        axes.set_xlabel(label_x)
        axes.set_ylabel(label_y)
        axes.grid(axis='y', color=GRID)
        axes.set_axisbelow(True)
        if curves:
            figure.legend(loc='outside upper left', ncols=3, frameon=False, fontsize=8)
        return to_svg(figure)
