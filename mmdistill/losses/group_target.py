"""The KL split into groups of classes: which group it is, and which class within each.

Shape legend: B = clips, K = classes, G = groups.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ranges import ZERO_OR_MORE
from ..registry import MODELS
from .base import at_least_single, check_same_classes, check_temperature
from .class_counts import ClassCountLoss, check_as_many, frequency_groups


def group_kl(
    student_logits: Tensor, teacher_logits: Tensor, groups_K: Tensor, temperature: float
) -> tuple[Tensor, Tensor, Tensor]:
    """KL(b_T || b_S) of the groups' probabilities, and KL(p_T|g || p_S|g) within each, per clip.

    KL(p_T || p_S) = KL(b_T || b_S) + sum over g of b_T,g * KL(p_T|g || p_S|g), with b the
    probabilities of the groups and p|g those of a group's classes among themselves (chain rule).

    Args:
        student_logits: (B, K), before softmax.
        teacher_logits: (B, K), before softmax, of the same classes in the same order.
        groups_K: (K,): the group of each class; numbers between them without a class are left out.
        temperature: T, > 0.

    Returns:
        The first divergence (B,), the others (B, G), and b_T (B, G), of the groups that have
        classes, in the order of their numbers. Without the factor T^2.

    Raises:
        ValueError: The shapes differ, or the temperature is not positive.
    """
    check_temperature(temperature)
    check_same_classes(student_logits, teacher_logits)
    check_as_many(groups_K, student_logits.shape[1])
    student, teacher = at_least_single(student_logits, teacher_logits)
    log_S, log_T = (F.log_softmax(x / temperature, dim=-1) for x in (student, teacher))
    masks = [groups_K == group for group in groups_K.unique().tolist()]
    mass_S, mass_T = (
        torch.stack([log_p[:, mask].logsumexp(-1) for mask in masks], dim=1)
        for log_p in (log_S, log_T)
    )
    within = [
        F.kl_div(
            F.log_softmax(log_S[:, mask], dim=-1),
            F.log_softmax(log_T[:, mask], dim=-1),
            reduction='none',
            log_target=True,
        ).sum(-1)
        for mask in masks
    ]
    between_B = F.kl_div(mass_S, mass_T, reduction='none', log_target=True).sum(-1)
    return between_B, torch.stack(within, dim=1), mass_T.exp()


@MODELS.register_module()
class GroupRebalancedLoss(ClassCountLoss):
    """T^2 * (between * KL of the groups + within * mean over groups of the KL inside).

    Head, medium and tail classes are groups by their training clips. In soft targets what is
    taught within a group is scaled by the teacher's probability of it, which is small for the
    tail, whatever the clip. With `rebalanced=False`, and both factors 1, this is the soft-target
    loss. See `group_kl`.

    Args:
        few: Tail classes have fewer training clips than this.
        many: Head classes have more.
        between: Factor on the groups' part.
        within: Factor on the part inside the groups.
        rebalanced: Every group counts 1 / G in the second part, not what the teacher gives it.
        temperature: T.
        loss_weight: The factor on this loss.
    """

    def __init__(
        self,
        few: int = 20,
        many: int = 100,
        between: float = 1.0,
        within: float = 1.0,
        rebalanced: bool = True,
        temperature: float = 1.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(temperature, loss_weight)
        ZERO_OR_MORE.check(between=between, within=within)
        frequency_groups(torch.zeros(1), few, many)
        self.few, self.many = few, many
        self.between, self.within = between, within
        self.rebalanced = rebalanced

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, counts_K: Tensor) -> Tensor:
        """Loss of one task, a scalar."""
        counts_K = self.counts(counts_K, student_logits)
        groups_K = frequency_groups(counts_K, self.few, self.many)
        parts = group_kl(student_logits, teacher_logits, groups_K, self.temperature)
        between_B, within_BG, mass_BG = parts
        weights_BG = torch.full_like(mass_BG, 1 / mass_BG.shape[1]) if self.rebalanced else mass_BG
        kl_B = self.between * between_B + self.within * (weights_BG * within_BG).sum(1)
        return self.loss_weight * kl_B.mean() * self.temperature**2
