"""Logit standardisation: each clip's logits as standard scores."""

import torch
from torch import Tensor

from .base import at_least_single

# Below this standard deviation, logits count as all equal; float32 resolves no less around 1.
SMALLEST_DEVIATION = 1e-7


def standardize_logits(logits: Tensor) -> Tensor:
    """Subtract each row's mean and divide by its (population) standard deviation.

    Sun et al., *Logit Standardization in Knowledge Distillation*, CVPR 2024,
    https://arxiv.org/abs/2403.01427, algorithm 1. A row of equal logits becomes zeros.

    Args:
        logits: (..., K), before softmax.

    Returns:
        (..., K), float32 at least, with mean 0 and standard deviation 1 over the last axis.
    """
    (logits,) = at_least_single(logits)
    centred = logits - logits.mean(dim=-1, keepdim=True)
    # Clamped inside the root, whose gradient at 0 is infinite.
    variance = centred.square().mean(dim=-1, keepdim=True).clamp(min=SMALLEST_DEVIATION**2)
    return centred * torch.rsqrt(variance)
