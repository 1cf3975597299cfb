"""Weightings that are fitted on the holdout once and are then the same for every clip.

Shape legend: B = clips, M = experts, K = classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..registry import MODELS
from .weighting import (
    Weighting,
    check_weighting_temperature,
    expert_cross_entropy,
    softmin_weights,
)

# Enough for L-BFGS on a handful of numbers; it stops earlier where nothing moves any more.
MAX_ITERATIONS = 200


class HoldoutWeighting(Weighting):
    """The base of weightings that are (M,) weights found on the holdout.

    A subclass answers `find` and names in `state_name` the tensor that it found.
    """

    needs_holdout = True
    state_name = ''

    def __init__(self) -> None:
        self._found_M: Tensor | None = None

    def find(self, logits_BMK: Tensor, labels_B: Tensor) -> Tensor:
        """What the holdout's logits and labels say about each expert, (M,)."""
        raise NotImplementedError

    def weights_of(self, found_M: Tensor) -> Tensor:
        """Weights (M,) from what `find` found."""
        raise NotImplementedError

    def fit(self, logits_BMK: Tensor, labels_B: Tensor) -> None:
        """Look at the holdout clips."""
        self._found_M = self.find(logits_BMK, labels_B)

    def weights(self, logits_BMK: Tensor, labels_B: Tensor | None) -> Tensor:
        """The (M,) weights found on the holdout."""
        if self._found_M is None:
            raise RuntimeError(
                f'{type(self).__name__} was not fitted: the teacher needs a holdout. Give '
                'DistillationLossHook (or TeacherWeightingHook) a holdout_dataloader.'
            )
        return self.weights_of(self._found_M).to(logits_BMK)

    def state_dict(self) -> dict[str, Tensor]:
        """What was found, (M,)."""
        return {} if self._found_M is None else {self.state_name: self._found_M}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what was found."""
        self._found_M = state.get(self.state_name)


@MODELS.register_module()
class SoftminWeighting(HoldoutWeighting):
    """Softmin of each expert's mean cross-entropy on the holdout (the paper's eq. 3).

    Args:
        temperature: The weighting temperature gamma, > 0.
    """

    state_name = 'losses_M'

    def __init__(self, temperature: float = 1.0) -> None:
        super().__init__()
        check_weighting_temperature(temperature)
        self.temperature = temperature

    @property
    def losses_M(self) -> Tensor | None:
        """The experts' cross-entropies on the holdout."""
        return self._found_M

    def find(self, logits_BMK: Tensor, labels_B: Tensor) -> Tensor:
        """Every expert's mean cross-entropy over the holdout clips."""
        return expert_cross_entropy(logits_BMK, labels_B).mean(dim=0)

    def weights_of(self, found_M: Tensor) -> Tensor:
        """Softmin of the losses."""
        return softmin_weights(found_M, self.temperature)


@torch.enable_grad()
def learned_scores(logits_BMK: Tensor, labels_B: Tensor) -> Tensor:
    """Scores a (M,) whose softmax, as weights, minimises the cross-entropy of the fused logits.

    Minimised by L-BFGS in float64 from uniform weights, without any random draw. The
    cross-entropy is convex in the weights; where its minimum gives an expert nothing, the score
    falls until its gradient vanishes.

    Args:
        logits_BMK: Holdout logits before softmax.
        labels_B: (B,) class indices or (B, K) blended labels.
    """
    logits_BMK = logits_BMK.detach().double()
    scores_M = torch.zeros_like(logits_BMK[0, :, 0], requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [scores_M],
        max_iter=MAX_ITERATIONS,
        tolerance_grad=1e-10,
        tolerance_change=1e-14,
        line_search_fn='strong_wolfe',
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        fused_BK = torch.einsum('bmk,m->bk', logits_BMK, F.softmax(scores_M, dim=0))
        loss = expert_cross_entropy(fused_BK[:, None], labels_B).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    return scores_M.detach()


@MODELS.register_module()
class LearnedWeighting(HoldoutWeighting):
    """The weights with which the teacher itself has the lowest cross-entropy on the holdout.

    Unlike softmin it sees what experts know together: two that err on the same clips share their
    weight. It has M numbers to fit; a holdout of some hundred clips is enough. See
    `learned_scores`.
    """

    state_name = 'scores_M'

    def find(self, logits_BMK: Tensor, labels_B: Tensor) -> Tensor:
        """See `learned_scores`."""
        return learned_scores(logits_BMK, labels_B)

    def weights_of(self, found_M: Tensor) -> Tensor:
        """Softmax of the scores."""
        return F.softmax(found_M, dim=0)
