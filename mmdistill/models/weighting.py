"""How much each expert counts in the teacher: the maths, and the weightings that need no data.

Weightings fitted on the holdout are in holdout_weighting.py, those of the very clip in
sample_weighting.py. Radevski et al., *Multimodal Distillation for Egocentric Action Recognition*,
ICCV 2023, sec. 3.2.
Shape legend: B = clips, M = experts, K = classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ranges import POSITIVE
from ..registry import MODELS

SUM_TOLERANCE = 1e-4


def softmin_weights(losses_M: Tensor, temperature: float) -> Tensor:
    """Softmin over the experts (last axis): the lower an expert's loss, the larger its weight.

    Args:
        losses_M: Cross-entropies in nats, (..., M).
        temperature: The weighting temperature gamma; towards 0 the best expert takes all,
            towards infinity the weights become uniform.

    Raises:
        ValueError: The temperature is not positive, or a loss is not finite.
    """
    check_weighting_temperature(temperature)
    if not torch.isfinite(losses_M).all():
        raise ValueError(
            f'Softmin weights need finite losses, got {losses_M.tolist()}; '
            'check the checkpoint of the expert whose loss is not a number.'
        )
    return F.softmax(-losses_M / temperature, dim=-1)


def check_weighting_temperature(temperature: float) -> None:
    """Raise ValueError unless the weighting temperature gamma is positive and finite."""
    if temperature not in POSITIVE:
        raise ValueError(
            f'The weighting temperature must be a {POSITIVE}, got {temperature}; 1.0 is a usual '
            'start.'
        )


def fuse_logits(logits_BMK: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum of raw logits over the experts (the paper's eq. 2): (B, M, K) -> (B, K).

    Args:
        logits_BMK: Logits before softmax.
        weights: (M,) for all clips alike, or (B, M) per clip; each row sums to 1.

    Raises:
        ValueError: The shapes do not fit, or a row of weights does not sum to 1.
    """
    check_weights(weights)
    weights_BM = weights_per_clip(weights, logits_BMK)
    return torch.einsum('bmk,bm->bk', logits_BMK, weights_BM.to(logits_BMK.dtype))


def weights_per_clip(weights: Tensor, logits_BMK: Tensor) -> Tensor:
    """(M,) or (B, M) weights as (B, M); ValueError where they do not fit the logits."""
    if weights.shape not in (logits_BMK.shape[1:2], logits_BMK.shape[:2]):
        raise ValueError(
            f'There are {logits_BMK.shape[1]} experts and {len(logits_BMK)} clips: weights must be '
            f'(M,) or (B, M), got {tuple(weights.shape)}; give one weight per expert.'
        )
    return weights.expand(logits_BMK.shape[:2])


def check_weights(weights: Tensor) -> None:
    """Raise ValueError where weights are negative or a row (last axis) does not sum to 1."""
    sums = weights.double().sum(-1)
    # Written so that NaN, which is neither smaller nor larger than anything, is refused too.
    if not ((weights >= 0).all() and ((sums - 1).abs() <= SUM_TOLERANCE).all()):
        raise ValueError(
            f'Expert weights must be >= 0 and sum to 1, got {weights.tolist()}; '
            'divide them by their sum.'
        )


def available_only(weights_BM: Tensor, available_BM: Tensor) -> Tensor:
    """Zero the weights of experts whose modality a clip lacks and rescale the rest to sum to 1.

    A clip whose remaining experts all have weight 0 gets uniform weights over them.

    Raises:
        ValueError: A clip has no expert left.
    """
    if not available_BM.any(dim=1).all():
        clips = (~available_BM.any(dim=1)).nonzero().flatten().tolist()
        raise ValueError(
            f'Clips {clips} of the batch have none of the modalities that the teacher needs; '
            'remove them from the annotation file or add a modality that they have.'
        )
    kept_BM = weights_BM * available_BM
    kept_BM = torch.where(kept_BM.sum(1, keepdim=True) > 0, kept_BM, available_BM.to(kept_BM))
    return kept_BM / kept_BM.sum(1, keepdim=True)


class Weighting:
    """Decides the experts' weights of one task; the base of all registered weightings.

    `fit` sees the holdout once, before training. `weights` is asked for every batch, about logits
    that went through `scaled`. State that `fit` finds is plain tensors in `state_dict()`, saved in
    checkpoints and restored on resume.
    """

    needs_holdout = False
    needs_labels = False

    def fit(self, logits_BMK: Tensor, labels_B: Tensor) -> None:
        """Learn from the holdout's logits and labels; nothing to do by default."""

    def weights(self, logits_BMK: Tensor, labels_B: Tensor | None) -> Tensor:
        """Weights of a batch, (M,) or (B, M)."""
        raise NotImplementedError

    def scaled(self, logits_BMK: Tensor) -> Tensor:
        """The experts' logits as they enter the sum; as they are by default."""
        return logits_BMK

    def tempered(self, logits_BK: Tensor) -> Tensor:
        """The fused logits as they teach; as they are by default."""
        return logits_BK

    def fused(self, logits_BMK: Tensor, labels_B: Tensor | None) -> Tensor:
        """What the teacher says of clips that lack nothing, (B, K)."""
        logits_BMK = self.scaled(logits_BMK)
        return self.tempered(fuse_logits(logits_BMK, self.weights(logits_BMK, labels_B)))

    def state_dict(self) -> dict[str, Tensor]:
        """What `fit` found."""
        return {}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `fit` found."""


@MODELS.register_module()
class UniformWeighting(Weighting):
    """Every expert counts the same."""

    def weights(self, logits_BMK: Tensor, labels_B: Tensor | None) -> Tensor:
        """(M,) weights, all 1 / M."""
        num_experts = logits_BMK.shape[1]
        return logits_BMK.new_full((num_experts,), 1.0 / num_experts)


@MODELS.register_module()
class FixedWeighting(Weighting):
    """Weights that the user states, in the order of the teacher's experts.

    Args:
        weights: One number per expert, summing to 1.
    """

    def __init__(self, weights: list[float]) -> None:
        self._weights_M = torch.tensor(weights, dtype=torch.float32)
        check_weights(self._weights_M)

    def weights(self, logits_BMK: Tensor, labels_B: Tensor | None) -> Tensor:
        """The (M,) weights given at construction."""
        return self._weights_M.to(logits_BMK)


def expert_cross_entropy(logits_BMK: Tensor, labels_B: Tensor) -> Tensor:
    """Cross-entropy in nats of every expert on every clip, (B, M), in float64.

    `labels_B` holds class indices (B,) or blended labels (B, K).
    """
    log_probs_BMK = F.log_softmax(logits_BMK.double(), dim=-1)
    if labels_B.ndim == 2:
        return -(log_probs_BMK * labels_B[:, None].to(log_probs_BMK)).sum(-1)
    index_BM1 = labels_B.long()[:, None, None].expand(-1, logits_BMK.shape[1], 1)
    return -log_probs_BMK.gather(-1, index_BM1).squeeze(-1)
