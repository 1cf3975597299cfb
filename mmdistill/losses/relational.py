"""Relational distillation: the geometry of a batch, not the place of each clip.

Shape legend: B = clips, D = size of the embedding.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ranges import ZERO_OR_MORE
from ..registry import MODELS
from .feature import FeatureLoss

# Below this two clips have the same embedding; a length has no gradient there.
SMALLEST_LENGTH = 1e-6


def distance_relation(embeddings: Tensor) -> Tensor:
    """Distances of all pairs of clips over their mean, (B, D) -> (B * (B - 1) / 2,)."""
    first, second = torch.triu_indices(len(embeddings), len(embeddings), offset=1).unbind()
    lengths = _lengths(embeddings[first] - embeddings[second])
    return lengths / lengths.mean()


def angle_relation(embeddings: Tensor) -> Tensor:
    """Cosine of the angle at j of all triplets (i, j, k) of different clips, (B, D) -> (n,)."""
    num_clips = len(embeddings)
    differences = embeddings[:, None] - embeddings[None]  # (i, j, D)
    lengths = _lengths(differences)[..., None]
    # No direction, and no gradient, between clips with the same embedding.
    units = differences / lengths * (lengths > 2 * SMALLEST_LENGTH)
    cosines = torch.einsum('ijd,kjd->jik', units, units)
    i, j, k = torch.meshgrid(*[torch.arange(num_clips)] * 3, indexing='ij')
    # Each unordered pair {i, k} once.
    keep = (i != j) & (k != j) & (i < k)
    return cosines[j[keep], i[keep], k[keep]]


def relational_distance(
    student: Tensor, expert: Tensor, distance_weight: float, angle_weight: float
) -> Tensor:
    """Huber distance of the relations of pairs and triplets, each averaged, weighted and added.

    Park et al., *Relational Knowledge Distillation*, CVPR 2019, https://arxiv.org/abs/1904.05068,
    sec. 3.2. A batch of one clip has no pair and one of two no triplet; these terms are then 0.

    Args:
        student: (B, D).
        expert: (B, D'); D and D' may differ.
        distance_weight: Factor on the pairs.
        angle_weight: Factor on the triplets.
    """
    total = student[:0].sum()
    if len(student) > 1:
        pairs = F.smooth_l1_loss(distance_relation(student), distance_relation(expert))
        total = total + distance_weight * pairs
    if len(student) > 2:
        triplets = F.smooth_l1_loss(angle_relation(student), angle_relation(expert))
        total = total + angle_weight * triplets
    return total


def _lengths(differences: Tensor) -> Tensor:
    return differences.square().sum(dim=-1).clamp(min=SMALLEST_LENGTH**2).sqrt()


@MODELS.register_module()
class RelationalLoss(FeatureLoss):
    """Keep distances and angles between the clips of a batch as the expert has them.

    See `relational_distance`. Features are averaged over their grid. Only relations are compared,
    so the layers may differ in channels without a projection.

    Args:
        distance_weight: Factor on the distances of pairs.
        angle_weight: Factor on the angles of triplets.
        kwargs: Arguments of `FeatureLoss`.
    """

    def __init__(
        self, *args: Any, distance_weight: float = 1.0, angle_weight: float = 2.0, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        ZERO_OR_MORE.check(distance_weight=distance_weight, angle_weight=angle_weight)
        self.distance_weight = distance_weight
        self.angle_weight = angle_weight

    def distance(self, student: Tensor, expert: Tensor) -> Tensor:
        """See `relational_distance`."""
        student, expert = (x.mean(dim=(2, 3, 4)) for x in (student, expert))
        return relational_distance(student, expert, self.distance_weight, self.angle_weight)
