"""Balanced distillation: the teacher's rare classes count more in the soft targets.

Shape legend: B = clips, K = classes.
"""

from torch import Tensor

from ..ranges import FRACTION
from ..registry import MODELS
from .base import at_least_single, check_same_classes, check_temperature
from .class_counts import ClassCountLoss, check_as_many, effective_weights
from .soft_target import soft_target_kl


def balanced_target_kl(
    student_logits: Tensor, teacher_logits: Tensor, weights_K: Tensor, temperature: float
) -> Tensor:
    """T^2 * KL(targets || student), targets being weights * softmax(teacher / T), normalised.

    Zhang, Chen and Peng, *Balanced Knowledge Distillation for Long-tailed Learning*, 2021,
    https://arxiv.org/abs/2104.10510; the targets are divided by their sum, so that a teacher and a
    student that agree up to the weights have no loss.

    Args:
        student_logits: (B, K), before softmax.
        teacher_logits: (B, K), before softmax, of the same classes in the same order.
        weights_K: (K,), > 0: of each class.
        temperature: T, > 0.

    Raises:
        ValueError: The shapes differ, or the temperature is not positive.
    """
    check_temperature(temperature)
    check_same_classes(student_logits, teacher_logits)
    check_as_many(weights_K, student_logits.shape[1])
    student, teacher = at_least_single(student_logits, teacher_logits)
    # Times a weight is plus its log, which the temperature must not divide.
    shift_K = temperature * weights_K.to(teacher).log()
    return soft_target_kl(student, teacher + shift_K, temperature)


@MODELS.register_module()
class BalancedTargetLoss(ClassCountLoss):
    """Soft targets in which rare classes weigh more; see `balanced_target_kl`.

    The weights are those of the effective number of clips, see `effective_weights`. A deferred
    start, as the paper has it, is a schedule: a `SoftTargetLoss` until then, this one afterwards.

    Args:
        beta: 0 leaves the targets as they are; 0.999 for some thousands of clips.
        temperature: T.
        loss_weight: The factor on this loss.
        min_count: A class counts as having this many training clips at least.
    """

    def __init__(
        self,
        beta: float = 0.99,
        temperature: float = 1.0,
        loss_weight: float = 1.0,
        min_count: int = 0,
    ) -> None:
        super().__init__(temperature, loss_weight, min_count)
        FRACTION.check(beta=beta)
        self.beta = beta

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, counts_K: Tensor) -> Tensor:
        """Loss of one task, a scalar."""
        weights_K = effective_weights(self.counts(counts_K, student_logits), self.beta)
        kl = balanced_target_kl(student_logits, teacher_logits, weights_K, self.temperature)
        return self.loss_weight * kl
