"""DIST: correlate with the teacher instead of copying it, over classes and over clips.

Shape legend: B = clips, K = classes.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from ..ranges import ZERO_OR_MORE
from ..registry import MODELS
from .base import at_least_single, check_same_classes, check_temperature


def pearson_distance(a: Tensor, b: Tensor, dim: int) -> Tensor:
    """1 minus Pearson's correlation along `dim`, averaged over the other axis of (B, K) tensors."""
    a, b = (x - x.mean(dim=dim, keepdim=True) for x in (a, b))
    return 1 - F.cosine_similarity(a, b, dim=dim).mean()


def dist_relations(
    student_logits: Tensor, teacher_logits: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    """T^2 times the Pearson distances of the softened probabilities: inter-class and intra-class.

    Huang et al., *Knowledge Distillation from A Stronger Teacher*, NeurIPS 2022,
    https://arxiv.org/abs/2205.10536, sec. 3.

    Args:
        student_logits: (B, K), before softmax, K >= 2.
        teacher_logits: (B, K), of the same classes in the same order.
        temperature: T, > 0.

    Returns:
        The mean over clips of the distance along classes, and the mean over classes of the
        distance along clips. The latter is 0 for a single clip, which has no relations.

    Raises:
        ValueError: The shapes differ or the temperature is not positive.
    """
    check_temperature(temperature)
    check_same_classes(student_logits, teacher_logits, at_least=2)
    student, teacher = at_least_single(student_logits, teacher_logits)
    student, teacher = (F.softmax(x / temperature, dim=-1) for x in (student, teacher))
    inter = pearson_distance(student, teacher, dim=1)
    # The last batch of an epoch may hold one clip.
    intra = pearson_distance(student, teacher, dim=0) if len(student) > 1 else student[:0].sum()
    return inter * temperature**2, intra * temperature**2


@MODELS.register_module()
class DISTLoss(nn.Module):
    """beta * inter-class + gamma * intra-class relation: for teachers far above the student.

    See `dist_relations`. Correlations ignore scale and offset of the probabilities, so the student
    keeps its own confidence. Wants batches of some size: the intra-class part compares clips.

    Args:
        beta: Factor on the relation between the classes of a clip.
        gamma: Factor on the relation between the clips of a batch.
        temperature: T.
        loss_weight: The factor on this loss.
    """

    def __init__(
        self,
        beta: float = 1.0,
        gamma: float = 1.0,
        temperature: float = 1.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        check_temperature(temperature)
        ZERO_OR_MORE.check(beta=beta, gamma=gamma, loss_weight=loss_weight)
        self.beta = beta
        self.gamma = gamma
        self.temperature = temperature
        self.loss_weight = loss_weight

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Loss of one task, a scalar."""
        inter, intra = dist_relations(student_logits, teacher_logits, self.temperature)
        return self.loss_weight * (self.beta * inter + self.gamma * intra)
