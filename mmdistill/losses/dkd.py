"""Decoupled knowledge distillation: the KL split into the label's class and all others.

Shape legend: B = clips, K = classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..ranges import ZERO_OR_MORE
from ..registry import MODELS
from .base import at_least_single, check_same_classes, check_temperature


def decoupled_kl(
    student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    """T^2 times the target-class and the non-target-class KL, both averaged over clips.

    Zhao et al., *Decoupled Knowledge Distillation*, CVPR 2022, https://arxiv.org/abs/2203.08679,
    sec. 3. With p the teacher's probability of the label, KL = TCKD + (1 - p) NCKD clip by clip.

    Args:
        student_logits: (B, K), before softmax, K >= 2.
        teacher_logits: (B, K), of the same classes in the same order.
        labels: (B,) class indices.
        temperature: T, > 0.

    Returns:
        TCKD, over {label, not label}, and NCKD, over the K - 1 other classes.

    Raises:
        ValueError: The shapes differ, the labels are blended, or the temperature is not positive.
    """
    check_temperature(temperature)
    check_same_classes(student_logits, teacher_logits, at_least=2)
    _check_indices(labels, len(student_logits))
    student, teacher = at_least_single(student_logits, teacher_logits)
    target_S, others_S, among_S = _decouple(student / temperature, labels)
    target_T, others_T, among_T = _decouple(teacher / temperature, labels)
    binary_S = torch.stack([target_S, others_S], dim=1)
    binary_T = torch.stack([target_T, others_T], dim=1)
    tckd = F.kl_div(binary_S, binary_T, reduction='batchmean', log_target=True)
    nckd = F.kl_div(among_S, among_T, reduction='batchmean', log_target=True)
    return tckd * temperature**2, nckd * temperature**2


def _decouple(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Log-probability of the label (B,), of not the label (B,), and among the others (B, K - 1)."""
    log_probs = F.log_softmax(logits, dim=-1)
    is_target = F.one_hot(labels, logits.shape[1]).bool()
    # Cut out rather than masked with a large number: nothing of the label's class leaks in.
    others = log_probs[~is_target].view(len(logits), -1)
    return log_probs[is_target], torch.logsumexp(others, dim=1), F.log_softmax(others, dim=1)


def _check_indices(labels: Tensor, num_clips: int) -> None:
    if labels.shape != (num_clips,) or labels.is_floating_point():
        raise ValueError(
            f'DKD needs one class index per clip, ({num_clips},), got labels of shape '
            f'{tuple(labels.shape)} and type {labels.dtype}; blended labels have no one target '
            'class: switch the blending off, or use mmdistill.SoftTargetLoss.'
        )


@MODELS.register_module()
class DKDLoss(nn.Module):
    """alpha * TCKD + beta * NCKD: what is known about the other classes counts by itself.

    In soft targets the non-target part is scaled by 1 - p, which is smallest where the teacher is
    surest. Needs the label of every clip. See `decoupled_kl`.

    Args:
        alpha: Factor on the target-class part.
        beta: Factor on the non-target-class part; the paper's are 8 and less.
        temperature: T.
        loss_weight: The factor on this loss.
    """

    needs_labels = True

    def __init__(
        self,
        alpha: float = 1.0,
        beta: float = 8.0,
        temperature: float = 4.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        check_temperature(temperature)
        ZERO_OR_MORE.check(alpha=alpha, beta=beta, loss_weight=loss_weight)
        self.alpha = alpha
        self.beta = beta
        self.temperature = temperature
        self.loss_weight = loss_weight

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of one task, a scalar."""
        tckd, nckd = decoupled_kl(student_logits, teacher_logits, labels, self.temperature)
        return self.loss_weight * (self.alpha * tckd + self.beta * nckd)
