"""How much each expert of a teacher counts, drawn as bars."""

from collections.abc import Mapping

import matplotlib
from matplotlib.figure import Figure

from .figures import STYLE, colour_of


def weights_figure(weights: Mapping[str, Mapping[str, float]]) -> Figure:
    """A group of bars per task, a bar per expert.

    Args:
        weights: Task to expert to its mean weight; those of a task sum to 1.
    """
    number = sum(len(experts) for experts in weights.values())
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(3.6, 0.7 + 0.25 * number), layout='constrained')
        heights = [len(experts) for experts in weights.values()]
        panels = figure.subplots(len(weights), 1, sharex=True, squeeze=False, height_ratios=heights)
        for axes, (task, experts) in zip(panels[:, 0], weights.items(), strict=True):
            percent = [100 * weight for weight in experts.values()]
            colours = [colour_of(name, i) for i, name in enumerate(experts)]
            bars = axes.barh(list(experts), percent, color=colours, height=0.7)
            axes.bar_label(bars, fmt='%.0f', padding=3, fontsize=8)
            axes.invert_yaxis()
            axes.set_xlim(0, 110)
            axes.set_title(task, fontsize=9, fontweight='bold', loc='left')
        axes.set_xticks([0, 50, 100])
        axes.set_xlabel('weight, %')
        return figure
