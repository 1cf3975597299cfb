"""What the losses share, and the agreement between a loss and the student.

A **logit loss** is any `nn.Module` whose `forward(student_logits, teacher_logits)` takes the
logits of one task, (B, K) before softmax, and returns a scalar; it is called once per task. With
the class attribute `needs_labels = True` it gets the labels as a third argument: class indices
(B,), or blended labels (B, K). It never sees a clip without a label: that is an error. With
`needs_counts = True` it gets, last, how many training clips each class of the task has, (K,): the
labels of the training data set, counted once before training.
A **feature loss** is a subclass of `FeatureLoss` (feature.py).

A loss takes `loss_weight`, a number, and multiplies by it. A `loss_weight` that follows a schedule
(schedule.py) is the student's: it builds the loss with 1 and multiplies what comes out.
"""

import torch
from torch import Tensor

from ..ranges import POSITIVE


def at_least_single(*tensors: Tensor) -> list[Tensor]:
    """The tensors in their common type, float32 at least.

    Under autocast logits and features may be half precision, in which the log of a small
    probability or the square of a large feature would be lost.
    """
    dtype = torch.float32
    for tensor in tensors:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return [tensor.to(dtype) for tensor in tensors]


def check_same_classes(student_logits: Tensor, teacher_logits: Tensor, at_least: int = 1) -> None:
    """Raise ValueError unless both are (B, K) logits of the same clips and K >= `at_least`."""
    if student_logits.shape != teacher_logits.shape or student_logits.ndim != 2:
        raise ValueError(
            f'The student has logits of shape {tuple(student_logits.shape)}, the teacher '
            f'{tuple(teacher_logits.shape)}: both must know the same classes, as (B, K).'
        )
    if student_logits.shape[1] < at_least:
        raise ValueError(
            f'This loss compares classes with each other: expected at least {at_least}, got '
            f'{student_logits.shape[1]}; use mmdistill.LogitMSELoss for a task of one class.'
        )


def check_temperature(temperature: float) -> None:
    """Raise ValueError unless the temperature of soft targets is positive and finite."""
    if temperature not in POSITIVE:
        raise ValueError(
            f'The temperature of soft targets must be a {POSITIVE}, got {temperature}; '
            '1 leaves the logits as they are, larger values soften them.'
        )
