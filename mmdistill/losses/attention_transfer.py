"""Attention transfer: where a layer is active, whatever its channels mean."""

import torch.nn.functional as F
from torch import Tensor

from ..registry import MODELS
from .feature import FeatureLoss
from .feature_grid import on_common_grid


def attention_map(feature: Tensor) -> Tensor:
    """Where a feature is active: the mean square over channels, (B, C, T, H, W) -> (B, 1, T, H, W).

    Zagoruyko and Komodakis, *Paying More Attention to Attention*, ICLR 2017,
    https://arxiv.org/abs/1612.03928, F_sum^2 (its scale cancels in `attention_distance`).
    """
    return feature.square().mean(dim=1, keepdim=True)


def attention_distance(student: Tensor, expert: Tensor) -> Tensor:
    """Squared distance of two attention maps at unit length, averaged over clips.

    Args:
        student: Feature (B, C, T, H, W).
        expert: Feature (B, C', T', H', W'); the maps, not the features, are brought to one grid.

    Raises:
        ValueError: The common grid has one position, where every map is the same.
    """
    maps = on_common_grid(attention_map(student), attention_map(expert))
    if maps[0][0].numel() < 2:
        raise ValueError(
            f'attention needs several positions, but the common grid of {tuple(student.shape)} and '
            f'{tuple(expert.shape)} has one; choose layers before the pooling'
        )
    student_map, expert_map = (F.normalize(x.flatten(1), dim=1) for x in maps)
    return (student_map - expert_map).square().sum(dim=1).mean()


@MODELS.register_module()
class AttentionTransferLoss(FeatureLoss):
    """Draw where the student looks to where the expert looks; channels play no part.

    See `attention_distance`.
    """

    def distance(self, student: Tensor, expert: Tensor) -> Tensor:
        """See `attention_distance`."""
        return attention_distance(student, expert)
