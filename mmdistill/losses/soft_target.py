"""Soft targets: the KL divergence between softened teacher and student distributions."""

import torch.nn.functional as F
from torch import Tensor, nn

from ..ranges import ZERO_OR_MORE
from ..registry import MODELS
from .base import at_least_single, check_same_classes, check_temperature
from .standardize import standardize_logits


def soft_target_kl(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """T^2 * KL(teacher || student) of the distributions at temperature T, averaged over clips.

    Hinton et al., *Distilling the Knowledge in a Neural Network*, 2015,
    https://arxiv.org/abs/1503.02531; Radevski et al., ICCV 2023, eq. 1.

    Args:
        student_logits: (B, K), before softmax.
        teacher_logits: (B, K), before softmax, of the same classes in the same order.
        temperature: T, > 0; 1 leaves the logits as they are.

    Raises:
        ValueError: The temperature is not positive or the shapes differ.
    """
    check_temperature(temperature)
    check_same_classes(student_logits, teacher_logits)
    student, teacher = at_least_single(student_logits, teacher_logits)
    log_student = F.log_softmax(student / temperature, dim=-1)
    log_teacher = F.log_softmax(teacher / temperature, dim=-1)
    kl = F.kl_div(log_student, log_teacher, reduction='batchmean', log_target=True)
    # Soft targets shrink gradients by 1 / T^2; undo it, so that the loss weight survives a change
    # of temperature.
    return kl * temperature**2


@MODELS.register_module()
class SoftTargetLoss(nn.Module):
    """Match the student's softened class distribution to the teacher's, per task.

    Args:
        temperature: T; see `soft_target_kl`.
        loss_weight: lambda, the factor on this loss.
        standardize: Bring both logits to mean 0 and standard deviation 1 per clip first, so that
            the student need not match the size of the teacher's logits: see `standardize_logits`.
    """

    def __init__(
        self, temperature: float = 1.0, loss_weight: float = 1.0, standardize: bool = False
    ) -> None:
        super().__init__()
        check_temperature(temperature)
        ZERO_OR_MORE.check(loss_weight=loss_weight)
        self.temperature = temperature
        self.loss_weight = loss_weight
        self.standardize = standardize

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Loss of one task, a scalar."""
        if self.standardize:
            student_logits = standardize_logits(student_logits)
            teacher_logits = standardize_logits(teacher_logits)
        kl = soft_target_kl(student_logits, teacher_logits, self.temperature)
        return self.loss_weight * kl
