"""Logit adjustment: how frequent a class is in training is taken out of the teacher, the student.

Shape legend: B = clips, K = classes.
"""

from torch import Tensor

from ..ranges import ZERO_OR_MORE
from ..registry import MODELS
from .base import at_least_single, check_same_classes
from .class_counts import ClassCountLoss, check_as_many, log_prior
from .soft_target import soft_target_kl


def adjusted_logits(logits: Tensor, log_prior_K: Tensor, tau: float) -> Tensor:
    """logits - tau * log prior: what is left of a class without its frequency, (B, K).

    Menon et al., *Long-Tail Learning via Logit Adjustment*, ICLR 2021,
    https://arxiv.org/abs/2007.07314, eq. 9. With tau = 1 the argmax has the least balanced error if
    the logits are calibrated.

    Raises:
        ValueError: The prior is of other classes.
    """
    check_as_many(log_prior_K, logits.shape[-1])
    (logits,) = at_least_single(logits)
    return logits - tau * log_prior_K.to(logits)


@MODELS.register_module()
class AdjustedTargetLoss(ClassCountLoss):
    """T^2 * KL(adjusted teacher || student): the prior is that of the training labels.

    With `tau`, the teacher's targets say less of frequent classes. With `student_tau`, the student
    is adjusted in the other direction while it is trained (the paper's loss, eq. 10): it has to
    reach the targets with the frequencies added to its logits, and is without them at test.

    Args:
        tau: On the teacher: its logits minus tau * log prior.
        student_tau: On the student, in training: its logits plus tau * log prior.
        temperature: T.
        loss_weight: The factor on this loss.
        min_count: A class counts as having this many training clips at least.
    """

    def __init__(
        self,
        tau: float = 1.0,
        student_tau: float = 0.0,
        temperature: float = 1.0,
        loss_weight: float = 1.0,
        min_count: int = 0,
    ) -> None:
        super().__init__(temperature, loss_weight, min_count)
        ZERO_OR_MORE.check(tau=tau, student_tau=student_tau)
        self.tau, self.student_tau = tau, student_tau

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, counts_K: Tensor) -> Tensor:
        """Loss of one task, a scalar."""
        check_same_classes(student_logits, teacher_logits)
        log_prior_K = log_prior(self.counts(counts_K, student_logits))
        student = adjusted_logits(student_logits, log_prior_K, -self.student_tau)
        teacher = adjusted_logits(teacher_logits, log_prior_K, self.tau)
        return self.loss_weight * soft_target_kl(student, teacher, self.temperature)
