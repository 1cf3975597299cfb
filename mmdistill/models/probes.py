"""Figures about a training step that change nothing: agreement, and who pulls how hard.

Shape legend: B = clips, K = classes.
"""

from collections.abc import Iterable

import torch
from torch import Tensor


def agreement(student_BK: Tensor, teacher_BK: Tensor) -> Tensor:
    """Share of the clips for which student and teacher name the same class, a scalar."""
    same_B = student_BK.argmax(-1) == teacher_BK.to(student_BK.device).argmax(-1)
    return same_B.float().mean()


def gradient_ratio(
    label_losses: Iterable[Tensor], distillation_losses: Iterable[Tensor], logits: list[Tensor]
) -> Tensor | None:
    """Norm of the distillation losses' gradient over that of the label losses'.

    At the student's logits, where both meet: one step back, no second backward pass. Losses that
    do not pass through the logits (features) do not count.

    Returns:
        A scalar; None where a side gives no gradient.
    """
    label, distillation = _norm(label_losses, logits), _norm(distillation_losses, logits)
    if not label or not distillation:
        return None
    return distillation / label


def _norm(losses: Iterable[Tensor], logits: list[Tensor]) -> Tensor:
    losses = [loss for loss in losses if loss.requires_grad]
    if not losses:
        return torch.zeros(())
    total = sum(loss.float().sum() for loss in losses)
    grads = torch.autograd.grad(total, logits, retain_graph=True, allow_unused=True)
    return torch.stack(
        [g.float().norm() for g in grads if g is not None] or [total.new_zeros(())]
    ).norm()
