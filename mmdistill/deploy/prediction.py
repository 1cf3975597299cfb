"""What a model predicts of a span of video.

Shape legend: K = classes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..extras import require
from ..joint_actions import ACTION, NOUN, VERB, best_pairs

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ClassScore(NamedTuple):
    """A class and its calibrated probability."""

    name: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """A prediction: calibrated probabilities of every task.

    Args:
        source: Path or name of the video.
        start: Seconds from the beginning of the video.
        stop: Likewise, where the span ends.
        logits: Task to (K,) logits as the model gives them, averaged over views.
        classes: Task to class names.
        temperatures: Task to the temperature that its logits are divided by.
    """

    source: str
    start: float
    stop: float
    logits: Mapping[str, np.ndarray]
    classes: Mapping[str, list[str]]
    temperatures: Mapping[str, float]

    def probabilities(self, task: str) -> np.ndarray:
        """(K,) float64 of a task, summing to 1."""
        scaled_K = self.logits[task].astype(np.float64) / self.temperatures[task]
        weights_K = np.exp(scaled_K - scaled_K.max())
        probabilities_K: np.ndarray = weights_K / weights_K.sum()
        return probabilities_K

    def top(self, k: int = 5) -> dict[str, list[ClassScore]]:
        """The k most probable classes of every task; of verb and noun also the joint `action`."""
        found = {task: self._top_of(task, k) for task in self.logits}
        if {VERB, NOUN} <= self.logits.keys() and ACTION not in self.logits:
            found[ACTION] = self._joint(k)
        return found

    @property
    def label(self) -> str:
        """The most probable action, or class of the only task."""
        best = self.top(1)
        return (best.get(ACTION) or next(iter(best.values())))[0].name

    @property
    def confidence(self) -> float:
        """The probability of `label`."""
        best = self.top(1)
        return (best.get(ACTION) or next(iter(best.values())))[0].probability

    def to_dict(self, k: int = 5) -> dict[str, Any]:
        """Plain values: source, span in seconds, and the k best classes of each task."""
        tasks = {
            task: [dict(name=name, probability=round(p, 6)) for name, p in scores]
            for task, scores in self.top(k).items()
        }
        return dict(source=self.source, start=self.start, stop=self.stop, **tasks)

    def to_json(self, k: int = 5) -> str:
        """`to_dict` as JSON text."""
        return json.dumps(self.to_dict(k), ensure_ascii=False)

    def plot(self, path: str | Path | None = None, k: int = 5) -> 'Figure':
        """Bars of the k best classes of each task; saved where a path is given."""
        require('report', 'matplotlib')
        from matplotlib.figure import Figure

        top = self.top(k)
        figure = Figure(figsize=(6, 0.6 + 0.35 * k * len(top)), layout='constrained')
        for axes, (task, scores) in zip(
            figure.subplots(len(top), 1, squeeze=False)[:, 0], top.items(), strict=True
        ):
            names = [score.name for score in scores][::-1]
            axes.barh(range(len(names)), [score.probability for score in scores][::-1])
            axes.set_yticks(range(len(names)), names)
            axes.set_xlim(0, 1)
            axes.set_title(task, loc='left', fontsize=9)
        if path is not None:
            figure.savefig(path)
        return figure

    def _top_of(self, task: str, k: int) -> list[ClassScore]:
        probabilities_K = self.probabilities(task)
        best = np.argsort(-probabilities_K, kind='stable')[:k]
        return [ClassScore(self.classes[task][i], float(probabilities_K[i])) for i in best]

    def _joint(self, k: int) -> list[ClassScore]:
        with np.errstate(divide='ignore'):  # a probability of 0 is one of the last
            verb, noun = (np.log(self.probabilities(task))[None] for task in (VERB, NOUN))
        best = best_pairs(verb, noun, k)
        verbs, nouns = self.classes[VERB], self.classes[NOUN]
        return [
            ClassScore(f'{verbs[v]} {nouns[n]}', float(np.exp(score)))
            for score, v, n in zip(best[0][0], best[1][0], best[2][0], strict=True)
        ]
