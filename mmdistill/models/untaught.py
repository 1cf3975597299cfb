"""Clips that lack every modality of the teacher: their label teaches instead.

Per clip the loss is lambda * KL + (1 - lambda) * CE where the teacher has something to say, and CE
where it has not; a clip without either adds nothing. The mean is over all clips of the batch.
Shape legend: B = clips in the batch, K = classes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch.nn.functional as F
from mmaction.utils import SampleList
from mmengine.model import ModuleDict
from torch import Tensor

from ..labels import labelled_rows
from ..losses import FeatureLoss
from .distillation import logit_losses
from .logits import no_loss

UNTAUGHT = 'untaught'


class Shares(NamedTuple):
    """Of the clips of a batch, how many the teacher does not reach, as shares of all."""

    label: float  # taught by their label alone
    nothing: float  # left out of the loss: without a label, too


def losses_of_taught(
    losses: ModuleDict,
    student: dict[str, Tensor],
    teacher: dict[str, Tensor],
    data_samples: SampleList,
    taught: Sequence[int],
    counts: Mapping[str, Tensor],
) -> dict[str, dict[str, Tensor]]:
    """As `logit_losses`, of the clips `taught` alone; each counts as in a full batch.

    Raises:
        KeyError: As `logit_losses`.
        ValueError: As `logit_losses`.
    """
    rows = list(taught)
    if len(rows) == len(data_samples):
        return logit_losses(losses, student, teacher, data_samples, counts)
    names = [name for name, loss in losses.items() if not isinstance(loss, FeatureLoss)]
    if not rows:
        return {task: {name: no_loss(x) for name in names} for task, x in student.items()}
    parts = logit_losses(
        losses,
        {task: logits_BK[rows] for task, logits_BK in student.items()},
        {task: logits_BK[rows] for task, logits_BK in teacher.items()},
        [data_samples[i] for i in rows],
        counts,
    )
    share = len(rows) / len(data_samples)
    return {task: {n: value * share for n, value in part.items()} for task, part in parts.items()}


def losses_of_untaught(
    student: dict[str, Tensor], data_samples: SampleList, taught: Sequence[int], missing: float
) -> dict[str, Tensor]:
    """What the label loss of the untaught clips lacks to count fully: task -> scalar.

    Args:
        student: Task to logits (B, K).
        data_samples: The B samples.
        taught: Positions of the other clips.
        missing: 1 - `label_weight`, with which the recognizer's own loss counts already.
    """
    rest = sorted(set(range(len(data_samples))) - set(taught))
    found = labelled_rows([data_samples[i] for i in rest], list(student))
    losses = {}
    for task, (rows, labels) in found.items():
        logits_BK = student[task]
        if not rows:
            losses[task] = no_loss(logits_BK)
            continue
        own = logits_BK[[rest[i] for i in rows]]
        total = F.cross_entropy(own.float(), labels.to(own.device), reduction='sum')
        losses[task] = max(0.0, missing) * total / len(data_samples)
    return losses


def untaught_shares(data_samples: SampleList, taught: Sequence[bool]) -> Shares:
    """How many clips of a batch learn from their label alone, and how many from nothing."""
    label = nothing = 0
    for sample, reached in zip(data_samples, taught, strict=True):
        if not reached:
            has_label = 'gt_label' in sample or len(sample.get('gt_labels', {}).keys()) > 0
            label, nothing = label + has_label, nothing + (not has_label)
    return Shares(label / len(data_samples), nothing / len(data_samples))
