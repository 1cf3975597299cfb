"""What feature losses share: a layer of the student drawn to a layer of an expert.

One registered class per distance, in a file of its own. Shape legend: B = clips, C = channels,
T H W = grid.
"""

import torch
from torch import Tensor, nn

from ..ranges import ZERO_OR_MORE
from .base import at_least_single
from .feature_grid import check_layout, clip_grid


class FeatureLoss(nn.Module):
    """The base of all feature losses; a subclass answers `distance` on two (B, C, T, H, W) grids.

    Args:
        student_layer: Name of a module of the student's recognizer, as in `named_modules()`:
            `backbone.layer4`.
        expert: Name of the teacher's expert.
        expert_layer: Name of a module of that expert's recognizer.
        loss_weight: The factor on this loss.
        student_layout: Axes of the student's feature, see `clip_grid`; needed where the number of
            axes does not say it: 'NTHWC'.
        expert_layout: Axes of the expert's feature.

    Raises:
        ValueError: A layout is none, or `loss_weight` is negative or not finite.
    """

    def __init__(
        self,
        student_layer: str,
        expert: str,
        expert_layer: str,
        loss_weight: float = 1.0,
        student_layout: str | None = None,
        expert_layout: str | None = None,
    ) -> None:
        super().__init__()
        check_layout(student_layout)
        check_layout(expert_layout)
        ZERO_OR_MORE.check(loss_weight=loss_weight)
        self.student_layer = student_layer
        self.expert = expert
        self.expert_layer = expert_layer
        self.loss_weight = loss_weight
        self.student_layout = student_layout
        self.expert_layout = expert_layout

    def forward(self, student_feature: Tensor, expert_feature: Tensor, num_clips: int) -> Tensor:
        """Loss of a batch of clips, a scalar.

        Args:
            student_feature: Output of `student_layer` for these clips, (N, ...).
            expert_feature: Output of `expert_layer` for the same clips, (N', ...).
            num_clips: B.

        Raises:
            ValueError: The features cannot be compared; names the layers.
        """
        if num_clips == 0:
            return self._nothing(student_feature)
        # Not under autocast, which would multiply matrices in half precision.
        with torch.autocast(student_feature.device.type, enabled=False):
            try:
                student, expert = at_least_single(student_feature, expert_feature)
                student = clip_grid(student, num_clips, self.student_layout)
                expert = clip_grid(expert, num_clips, self.expert_layout)
                return self.loss_weight * self.distance(student, expert)
            except ValueError as error:
                raise ValueError(f'{self}: {error}') from error

    def distance(self, student: Tensor, expert: Tensor) -> Tensor:
        """Distance of two features (B, C, T, H, W), float32 at least; a scalar."""
        raise NotImplementedError

    def __str__(self) -> str:
        return (
            f'{type(self).__name__} between {self.student_layer!r} of the student and '
            f'{self.expert_layer!r} of expert {self.expert!r}'
        )

    def _nothing(self, student_feature: Tensor) -> Tensor:
        """0 that depends on the feature and on every parameter: DDP waits for all gradients."""
        parts = [student_feature, *self.parameters()]
        return torch.stack([part.flatten()[:0].float().sum() for part in parts]).sum()
