"""What experts and teacher predict of the clips that they teach, beside the holdout.

An expert that was trained on a clip knows its label by heart, and teaches little else: Dao et al.,
*Knowledge Distillation as Semiparametric Inference*, ICLR 2021, call it teacher overfitting.
Shape legend: B = clips, M = experts, K = classes.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from mmaction.utils import SampleList
from mmengine.dist import all_gather_object
from torch import Tensor

from ..labels import labelled_rows

TEACHER = 'teacher'
# From here on the clips that are taught say nothing about new ones.
GAP = 0.15
BY_HEART = 0.6


class TaughtFigures(NamedTuple):
    """Means over the labelled clips that were taught; fractions."""

    top1: float
    confidence: float
    label_probability: float


class TaughtClips:
    """Running means over an epoch, per task, of every expert and of the fused teacher.

    Args:
        experts: Their names, in the order of the logits.
    """

    def __init__(self, experts: list[str]) -> None:
        self.names = [*experts, TEACHER]
        # Task to (M + 1, 4): hits, confidences, probabilities of the label, clips.
        self._sums: dict[str, Tensor] = {}

    def add(self, data_samples: SampleList) -> None:
        """Add a batch on whose samples the teacher's output travels; nothing is synchronised.

        Clips without a label, and those with a mixture of two, do not count.
        """
        tasks = list(data_samples[0].teacher.expert_logits.keys())
        for task, (rows, labels_B) in labelled_rows(data_samples, tasks).items():
            if not rows or labels_B.ndim != 1:
                continue
            teachers = [data_samples[i].teacher for i in rows]
            logits_BMK = torch.stack(
                [torch.cat([t.expert_logits.get(task), t.logits.get(task)[None]]) for t in teachers]
            )
            figures = _sums(logits_BMK, labels_B.to(logits_BMK.device))
            earlier = self._sums.get(task)
            self._sums[task] = figures if earlier is None else earlier + figures

    def figures(self) -> dict[str, dict[str, TaughtFigures]]:
        """Name of an expert, or 'teacher', to task to means over all processes."""
        ranks = all_gather_object({task: x.tolist() for task, x in self._sums.items()})
        found: dict[str, dict[str, TaughtFigures]] = {name: {} for name in self.names}
        for task in sorted(set().union(*ranks)):
            sums = sum(torch.tensor(rank[task]) for rank in ranks if task in rank)
            assert isinstance(sums, Tensor)
            for name, (hits, confidence, probability, clips) in zip(
                self.names, sums.tolist(), strict=True
            ):
                means = (x / clips for x in (hits, confidence, probability))
                found[name][task] = TaughtFigures(*means)
        return found


def _sums(logits_BMK: Tensor, labels_B: Tensor) -> Tensor:
    probs_BMK = logits_BMK.double().softmax(-1)
    confidence_BM, predicted_BM = probs_BMK.max(-1)
    columns = labels_B[:, None, None].expand(*probs_BMK.shape[:2], 1)
    label_BM = probs_BMK.gather(-1, columns)[..., 0]
    hits_BM = (predicted_BM == labels_B[:, None]).double()
    ones_BM = torch.ones_like(label_BM)
    return torch.stack([hits_BM, confidence_BM, label_BM, ones_BM], dim=-1).sum(0)


def taught_lines(figures: Mapping[str, Mapping[str, TaughtFigures]]) -> list[str]:
    """A log line per expert and one for the teacher."""
    return [
        f'Taught clips {name}: '
        + '  '.join(
            f'acc/{task}/top1 {x.top1:.4f}  confidence/{task} {x.confidence:.4f}  '
            f'label_probability/{task} {x.label_probability:.4f}'
            for task, x in by_task.items()
        )
        for name, by_task in figures.items()
        if by_task
    ]


def by_heart_warnings(
    figures: Mapping[str, Mapping[str, TaughtFigures]],
    holdout: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """Who knows the clips that it teaches by heart.

    Args:
        figures: Of the clips that are taught.
        holdout: Name to `acc/<task>/top1` on the holdout, as `holdout_report` gives it.
    """
    found = []
    for name, by_task in figures.items():
        for task, taught in by_task.items():
            known = holdout.get(name, {}).get(f'acc/{task}/top1')
            if known is None or taught.top1 - known < GAP or taught.label_probability < BY_HEART:
                continue
            who = 'The teacher' if name == TEACHER else f'Expert {name!r}'
            found.append(
                f'{who} predicts the {task} of {taught.top1:.1%} of the clips that it teaches and '
                f'of {known:.1%} of the holdout clips, with {taught.label_probability:.2f} on the '
                'label: it repeats the labels that it learned, and little of what it knows beyond '
                'them reaches the student. Train the experts for fewer epochs or with stronger '
                'augmentation, raise the temperature, or teach clips that they have not seen.'
            )
    return found
