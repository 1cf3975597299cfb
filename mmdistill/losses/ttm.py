"""Transformed teacher matching: only the teacher is softened, the student is not.

Shape legend: B = clips, K = classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..ranges import ZERO_OR_MORE
from ..registry import MODELS
from .base import at_least_single, check_same_classes, check_temperature


def transformed_teacher_kl(
    student_logits: Tensor, teacher_logits: Tensor, temperature: float, weighted: bool = False
) -> Tensor:
    """KL(teacher at temperature T || student at 1), averaged over clips, without T^2.

    The teacher at T is its distribution at 1 with every probability to the power 1/T, divided by
    their sum. With `weighted` that sum, which is large where the teacher is unsure, is the weight
    of the clip. Against soft targets, the student is drawn towards larger entropy, so its
    confidence stays lower.

    Zheng and Yang, *Knowledge Distillation Based on Transformed Teacher Matching*, ICLR 2024,
    https://arxiv.org/abs/2402.11148, eq. 9 (TTM) and 21 (WTTM).

    Args:
        student_logits: (B, K), before softmax.
        teacher_logits: (B, K), before softmax, of the same classes in the same order.
        temperature: T, > 0.
        weighted: Weigh clips by the sum of the transformed probabilities.

    Raises:
        ValueError: The temperature is not positive or the shapes differ.
    """
    check_temperature(temperature)
    check_same_classes(student_logits, teacher_logits)
    student, teacher = at_least_single(student_logits, teacher_logits)
    log_student = F.log_softmax(student, dim=-1)
    log_teacher = F.log_softmax(teacher / temperature, dim=-1)
    kl_B = F.kl_div(log_student, log_teacher, reduction='none', log_target=True).sum(-1)
    if weighted:
        powers = F.log_softmax(teacher, dim=-1) / temperature
        kl_B = kl_B * torch.logsumexp(powers, dim=-1).exp()
    return kl_B.mean()


@MODELS.register_module()
class TTMLoss(nn.Module):
    """Match the student as it is to the softened teacher; see `transformed_teacher_kl`.

    Args:
        temperature: T of the teacher alone.
        weighted: WTTM: clips of which the teacher is unsure count more.
        loss_weight: The factor on this loss.
    """

    def __init__(
        self, temperature: float = 2.0, weighted: bool = True, loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        check_temperature(temperature)
        ZERO_OR_MORE.check(loss_weight=loss_weight)
        self.temperature = temperature
        self.weighted = weighted
        self.loss_weight = loss_weight

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Loss of one task, a scalar."""
        kl = transformed_teacher_kl(student_logits, teacher_logits, self.temperature, self.weighted)
        return self.loss_weight * kl
