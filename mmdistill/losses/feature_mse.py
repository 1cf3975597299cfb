"""FitNets and MARS: the squared error between projected features."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ..ranges import ONE_OR_MORE
from ..registry import MODELS
from .feature import FeatureLoss
from .feature_grid import on_common_grid


@MODELS.register_module()
class FeatureMSELoss(FeatureLoss):
    """Mean squared error after a learned projection of the student's channels to the expert's.

    Romero et al., *FitNets*, ICLR 2015, https://arxiv.org/abs/1412.6550, eq. 3; with a flow expert
    it is MARS (Crasto et al., CVPR 2019). Averaged over clips, channels and positions. The
    projection is trained with the student and never enters its state dict.

    Args:
        student_channels: Channels of the student's layer; with `expert_channels` a linear map over
            channels is learned. Without both, the layers must have the same channels.
        expert_channels: Channels of the expert's layer.
        kwargs: Arguments of `FeatureLoss`.

    Raises:
        ValueError: Only one of the channels is given.
    """

    def __init__(
        self,
        *args: Any,
        student_channels: int | None = None,
        expert_channels: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if (student_channels is None) != (expert_channels is None):
            raise ValueError(
                f'{self} got student_channels={student_channels} and expert_channels='
                f'{expert_channels}; give both for a projection, or neither.'
            )
        ONE_OR_MORE.check_optional(
            student_channels=student_channels, expert_channels=expert_channels
        )
        self.student_channels = student_channels
        self.expert_channels = expert_channels
        self.projection: nn.Module
        if student_channels is None or expert_channels is None:
            self.projection = nn.Identity()
        else:
            self.projection = nn.Linear(student_channels, expert_channels)

    def distance(self, student: Tensor, expert: Tensor) -> Tensor:
        """Mean squared error on the common grid."""
        self._check_channels(student.shape[1], expert.shape[1])
        # Pooled first: a linear map and a mean may change places, and the map has less to do.
        student, expert = on_common_grid(student, expert)
        projected = self.projection(student.movedim(1, -1)).movedim(-1, 1)
        return F.mse_loss(projected, expert)

    def _check_channels(self, student: int, expert: int) -> None:
        found = (student, expert)
        expected = (self.student_channels, self.expert_channels)
        if found == expected or (self.student_channels is None and student == expert):
            return
        projects = (
            'without a projection they must be equal'
            if self.student_channels is None
            else f'the projection is from {expected[0]} to {expected[1]}'
        )
        raise ValueError(
            f'the student has {student} channels, the expert {expert}, and {projects}; '
            f'set student_channels={student}, expert_channels={expert}'
        )
