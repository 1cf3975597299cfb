"""A loss of this project."""

import torch.nn.functional as F
from torch import Tensor, nn

from mmdistill.registry import MODELS


@MODELS.register_module()
class CosineLoss(nn.Module):
    """One minus the cosine of the angle between the logits."""

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Loss of one task."""
        return self.loss_weight * (1 - F.cosine_similarity(student_logits, teacher_logits)).mean()
