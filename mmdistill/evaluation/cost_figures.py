"""Accuracy over cost, and cost over the rate at which modalities are sampled: SVG text."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from .figures import GRID, MUTED, STYLE, colour_of, to_svg

# Key in a model's entry of cost.json -> title and factor.
AXES = {'flops': ('GFLOPs of a clip', 1e-9), 'latency_ms': ('median latency of a clip, ms', 1.0)}


def pareto_front(costs_N: Sequence[float], values_N: Sequence[float]) -> list[int]:
    """The models that no other one beats at once in cost (lower) and value (higher), by cost."""
    order = np.lexsort((-np.asarray(values_N, float), np.asarray(costs_N, float)))
    front, best = [], -np.inf
    for index in order.tolist():
        if values_N[index] > best:
            front.append(index)
            best = values_N[index]
    return front


def pareto_plot(
    models: Sequence[Mapping[str, Any]], metric: str, panels: Sequence[str] = tuple(AXES)
) -> str:
    """A point per model: accuracy over operations and over latency, with the Pareto front.

    Args:
        models: Entries of cost.json with `name`, `flops`, `latency_ms` and `metrics`; perhaps a
            `title` to be shown in place of the name, and a `colour`.
        metric: The metric on the vertical axis, a fraction.
        panels: Keys of `AXES`, a panel each.
    """
    with matplotlib.rc_context(STYLE):
        width = 4.2 * len(panels) if len(panels) > 1 else 4.6
        figure = Figure(figsize=(width, 3.6), layout='constrained')
        for axes, key in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
        ):
            _draw_pareto(axes, models, metric, key)
        return to_svg(figure)


def _draw_pareto(axes: Axes, models: Sequence[Mapping[str, Any]], metric: str, key: str) -> None:
    title, scale = AXES[key]
    costs = [scale * model[key] for model in models]
    values = [100 * model['metrics'][metric] for model in models]
    front = pareto_front(costs, values)
    axes.plot(
        [costs[i] for i in front],
        [values[i] for i in front],
        color=MUTED,
        linestyle='--',
        linewidth=1,
    )
    axes.set_xscale('log')
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter('{x:g}')
    axes.xaxis.set_minor_locator(NullLocator())
    for number, (model, x, y) in enumerate(zip(models, costs, values, strict=True)):
        axes.plot(x, y, 'o', color=model.get('colour') or colour_of(model['name'], number))
    axes.margins(0.15)
    places = label_places(costs, values)
    for model, x, y, place in zip(models, costs, values, places, strict=True):
        # Flow is computed outside PyTorch: a point too far to the left.
        short = key == 'flops' and 'flow' in model.get('parts', ())
        text = model.get('title', model['name']) + (' + flow' if short else '')
        options = dict(textcoords='offset points', fontsize=8, ha=place.side)
        axes.annotate(text, (x, y), (place.right, place.up), **options)
    axes.set_xlabel(title)
    axes.set_ylabel(f'{metric}, %')
    axes.grid(color=GRID)
    axes.set_axisbelow(True)


class LabelPlace(NamedTuple):
    """Where the name of a point stands: which side begins there, and by how many points away."""

    side: str
    right: int
    up: int


def label_places(costs_N: Sequence[float], values_N: Sequence[float]) -> list[LabelPlace]:
    """Names towards the middle of the plot, and those of points at one height below each other."""
    across_N = _fractions(np.log(costs_N))
    up_N = _fractions(values_N)
    places: dict[int, LabelPlace] = {}
    for i in np.argsort(-up_N, kind='stable').tolist():
        side, right = ('right', -5) if across_N[i] > 0.5 else ('left', 5)
        near = [j for j in places if places[j].side == side and up_N[j] - up_N[i] < 0.05]
        places[i] = LabelPlace(side, right, 4 - 11 * len(near))
    return [places[i] for i in range(len(up_N))]


def _fractions(values_N: Sequence[float]) -> np.ndarray:
    """Linearly from 0 for the smallest to 1 for the largest."""
    shifted_N = np.asarray(values_N, float) - np.min(values_N)
    return shifted_N / max(shifted_N.max(), 1e-12)


def rates_plot(points: Sequence[Mapping[str, Any]], pair: tuple[str, str], metric: str) -> str:
    """Sampling rates of two modalities against each other: area is cost, colour is accuracy.

    Args:
        points: Entries of cost.json's `rates` with `rates` (frames per second of video), `flops`
            and, where they were tested, `metrics`.
        pair: The modalities of the horizontal and of the vertical axis.
        metric: The metric that gives the colour, a fraction.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.4, 4.2), layout='constrained')
        axes = figure.subplots()
        across, up = ([point['rates'][key] for point in points] for key in pair)
        flops = np.array([point['flops'] for point in points], float)
        known = all(metric in point.get('metrics', {}) for point in points)
        values = [100 * point['metrics'][metric] for point in points] if known else 1e-9 * flops
        dots = axes.scatter(across, up, 60 + 500 * flops / flops.max(), values, cmap='viridis')
        for x, y, value, cost in zip(across, up, values, flops, strict=True):
            text = f'{cost / 1e9:.2f} GFLOPs' + (f'\n{value:.1f} %' if known else '')
            place = dict(textcoords='offset points', ha='center', va='top')
            axes.annotate(text, (x, y), (0, -14), fontsize=7, **place)
        figure.colorbar(dots, label=f'{metric}, %' if known else 'GFLOPs of a clip')
        axes.set_xlabel(f'{pair[0]}, frames per second')
        axes.set_ylabel(f'{pair[1]}, frames per second')
        axes.margins(0.25)
        axes.grid(color=GRID)
        axes.set_axisbelow(True)
        return to_svg(figure)
