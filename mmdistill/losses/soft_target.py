"""Soft targets: the KL divergence between softened teacher and student distributions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..registry import MODELS


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
    if student_logits.shape != teacher_logits.shape:
        raise ValueError(
            f'The student has logits of shape {tuple(student_logits.shape)}, the teacher '
            f'{tuple(teacher_logits.shape)}: both must know the same classes.'
        )
    # float32 at least: under autocast the logits may be half precision, and the log of a small
    # softened probability would be lost in it.
    dtype = torch.promote_types(student_logits.dtype, torch.float32)
    log_student = F.log_softmax(student_logits.to(dtype) / temperature, dim=-1)
    log_teacher = F.log_softmax(teacher_logits.to(dtype) / temperature, dim=-1)
    kl = F.kl_div(log_student, log_teacher, reduction='batchmean', log_target=True)
    # Soft targets shrink gradients by 1 / T^2; undo it, so that the loss weight survives a change
    # of temperature.
    return kl * temperature**2


def check_temperature(temperature: float) -> None:
    """Raise ValueError unless the temperature of soft targets is positive."""
    if not temperature > 0:
        raise ValueError(
            f'The temperature of soft targets must be > 0, got {temperature}; '
            '1 leaves the logits as they are, larger values soften them.'
        )


@MODELS.register_module()
class SoftTargetLoss(nn.Module):
    """Match the student's softened class distribution to the teacher's, per task.

    Args:
        temperature: T; see `soft_target_kl`.
        loss_weight: lambda, the factor on this loss.
    """

    def __init__(self, temperature: float = 1.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_temperature(temperature)
        self.temperature = temperature
        self.loss_weight = loss_weight

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Loss of one task, a scalar."""
        kl = soft_target_kl(student_logits, teacher_logits, self.temperature)
        return self.loss_weight * kl
