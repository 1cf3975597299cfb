"""Logit matching: the squared distance between the logits themselves."""

import torch.nn.functional as F
from torch import Tensor, nn

from ..ranges import ZERO_OR_MORE
from ..registry import MODELS
from .base import at_least_single, check_same_classes


def logit_mse(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """Mean over clips and classes of (z_S - z_T)^2.

    Ba and Caruana, *Do Deep Nets Really Need to be Deep?*, NeurIPS 2014,
    https://arxiv.org/abs/1312.6184. Unlike soft targets it also asks for the teacher's
    offset and scale, and labels or temperature play no part.

    Args:
        student_logits: (B, K), before softmax.
        teacher_logits: (B, K), of the same classes in the same order.

    Raises:
        ValueError: The shapes differ.
    """
    check_same_classes(student_logits, teacher_logits)
    student, teacher = at_least_single(student_logits, teacher_logits)
    return F.mse_loss(student, teacher)


@MODELS.register_module()
class LogitMSELoss(nn.Module):
    """Match the student's logits to the teacher's, number for number, per task.

    Args:
        loss_weight: The factor on this loss.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        ZERO_OR_MORE.check(loss_weight=loss_weight)
        self.loss_weight = loss_weight

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Loss of one task, a scalar."""
        return self.loss_weight * logit_mse(student_logits, teacher_logits)
