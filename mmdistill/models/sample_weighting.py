"""Weightings that ask how good or how sure each expert is on the very clip.

Shape legend: B = clips, M = experts, K = classes.
"""

import math

import torch.nn.functional as F
from torch import Tensor

from ..registry import MODELS
from .weighting import (
    Weighting,
    check_weighting_temperature,
    expert_cross_entropy,
    softmin_weights,
)


def _expert_loss(weighting: Weighting, logits_BMK: Tensor, labels_B: Tensor | None) -> Tensor:
    if labels_B is None:
        raise ValueError(
            f'{type(weighting).__name__} weighs experts by the label of each clip, but the batch '
            'has none; use EntropyWeighting or SoftminWeighting for unlabelled clips.'
        )
    return expert_cross_entropy(logits_BMK, labels_B)


@MODELS.register_module()
class SampleSoftminWeighting(Weighting):
    """Softmin of each expert's cross-entropy on the very clip, which needs its label.

    Args:
        temperature: The weighting temperature gamma, > 0.
    """

    needs_labels = True

    def __init__(self, temperature: float = 1.0) -> None:
        check_weighting_temperature(temperature)
        self.temperature = temperature

    def weights(self, logits_BMK: Tensor, labels_B: Tensor | None) -> Tensor:
        """(B, M) weights from the labels of the batch."""
        return softmin_weights(_expert_loss(self, logits_BMK, labels_B), self.temperature)


def confidence_weights(losses_BM: Tensor) -> Tensor:
    """(1 - softmax of the losses) / (M - 1): the surer of the label, the more an expert counts.

    Zhang et al., *Confidence-Aware Multi-Teacher Knowledge Distillation*, ICASSP 2022,
    https://arxiv.org/abs/2201.00007, eq. 2. No weight exceeds 1 / (M - 1): however good the best
    of three experts, the others keep half. A single expert has weight 1.

    Args:
        losses_BM: Cross-entropies in nats, (..., M).
    """
    num_experts = losses_BM.shape[-1]
    if num_experts == 1:
        return losses_BM.new_ones(losses_BM.shape)
    return (1 - F.softmax(losses_BM, dim=-1)) / (num_experts - 1)


@MODELS.register_module()
class ConfidenceAwareWeighting(Weighting):
    """The weighting of CA-MKD, by each expert's cross-entropy on the clip: `confidence_weights`.

    Needs the label of every clip.
    """

    needs_labels = True

    def weights(self, logits_BMK: Tensor, labels_B: Tensor | None) -> Tensor:
        """(B, M) weights from the labels of the batch."""
        return confidence_weights(_expert_loss(self, logits_BMK, labels_B))


def relative_entropies(logits_BMK: Tensor) -> Tensor:
    """Entropy of each expert's distribution over that of the uniform one, (B, M) in [0, 1]."""
    log_probs_BMK = F.log_softmax(logits_BMK.double(), dim=-1)
    entropies_BM = -(log_probs_BMK.exp() * log_probs_BMK).sum(dim=-1)
    # A task of one class leaves nothing to be unsure of.
    return entropies_BM / math.log(max(logits_BMK.shape[-1], 2))


@MODELS.register_module()
class EntropyWeighting(Weighting):
    """Softmin of the experts' entropies on the clip: who is sure counts more; no label needed.

    An expert that is sure and wrong counts as much as one that is sure and right, so the experts
    should be calibrated. Entropies are fractions of log K, so that one temperature suits tasks
    with few and many classes: see `relative_entropies`.

    Args:
        temperature: The weighting temperature gamma, > 0; at 0.1 an expert without a doubt counts
            22,000 times as much as one that guesses, at 1 2.7 times.
    """

    def __init__(self, temperature: float = 0.3) -> None:
        check_weighting_temperature(temperature)
        self.temperature = temperature

    def weights(self, logits_BMK: Tensor, labels_B: Tensor | None) -> Tensor:
        """(B, M) weights from the logits alone."""
        return softmin_weights(relative_entropies(logits_BMK), self.temperature)
