"""A calibrated teacher: every expert, and their sum, divided by a temperature of the holdout.

Shape legend: B = clips, M = experts, K = classes.
"""

from typing import Any

import torch
from torch import Tensor

from ..registry import MODELS
from .weighting import Weighting

INNER = 'inner.'


def expert_temperatures(logits_BMK: Tensor, labels_B: Tensor) -> Tensor:
    """The temperature of each expert, (M,) float64; see `mmdistill.metrics.fit_temperature`.

    Raises:
        ValueError: The labels are blended, or as `fit_temperature`.
    """
    from ..metrics import fit_temperature

    if labels_B.ndim != 1:
        raise ValueError('A temperature is fitted on one class per clip, not on blended labels.')
    found = [fit_temperature(logits_BK, labels_B) for logits_BK in logits_BMK.unbind(1)]
    return torch.tensor(found, dtype=torch.float64)


@MODELS.register_module()
class CalibratedWeighting(Weighting):
    """Weigh experts whose logits are divided by their temperatures, then divide the sum by its own.

    An expert that is too sure of itself drowns the others in a sum of logits, and teaches its
    overconfidence. Temperatures minimise the negative log-likelihood of the holdout, per task
    (Guo et al., *On Calibration of Modern Neural Networks*, 2017). Fitted on few clips they are
    uncertain: a hundred at least.

    Args:
        weighting: The config of a weighting, which sees the scaled logits.
        experts: Whether each expert is scaled.
        teacher: Whether the sum is.
    """

    needs_holdout = True

    def __init__(
        self, weighting: dict[str, Any], experts: bool = True, teacher: bool = True
    ) -> None:
        self.weighting: Weighting = MODELS.build(weighting)
        self.needs_labels = self.weighting.needs_labels
        self.experts, self.teacher = experts, teacher
        self.temperatures_M: Tensor | None = None
        self.temperature: Tensor | None = None

    def fit(self, logits_BMK: Tensor, labels_B: Tensor) -> None:
        """Find the experts' temperatures, the weights, and the temperature of the sum."""
        num_experts = logits_BMK.shape[1]
        self.temperatures_M = torch.ones(num_experts, dtype=torch.float64)
        self.temperature = torch.ones(1, dtype=torch.float64)
        if self.experts:
            self.temperatures_M = expert_temperatures(logits_BMK, labels_B)
        self.weighting.fit(self.scaled(logits_BMK), labels_B)
        if self.teacher:
            fused_BK = self.fused(logits_BMK, labels_B)
            self.temperature = expert_temperatures(fused_BK[:, None], labels_B)

    def scaled(self, logits_BMK: Tensor) -> Tensor:
        """Each expert's logits divided by its temperature."""
        return logits_BMK / self._fitted(self.temperatures_M).to(logits_BMK)[:, None]

    def weights(self, logits_BMK: Tensor, labels_B: Tensor | None) -> Tensor:
        """Those of the weighting inside."""
        self._fitted(self.temperature)
        return self.weighting.weights(logits_BMK, labels_B)

    def tempered(self, logits_BK: Tensor) -> Tensor:
        """The sum divided by its temperature."""
        return logits_BK / self._fitted(self.temperature).to(logits_BK)

    def state_dict(self) -> dict[str, Tensor]:
        """Temperatures, and what the weighting inside found."""
        if self.temperatures_M is None or self.temperature is None:
            return {}
        inner = {f'{INNER}{name}': value for name, value in self.weighting.state_dict().items()}
        return dict(temperatures_M=self.temperatures_M, temperature=self.temperature, **inner)

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore them."""
        self.temperatures_M = state.get('temperatures_M')
        self.temperature = state.get('temperature')
        inner = {k.removeprefix(INNER): v for k, v in state.items() if k.startswith(INNER)}
        self.weighting.load_state_dict(inner)

    @staticmethod
    def _fitted(found: Tensor | None) -> Tensor:
        if found is None:
            raise RuntimeError(
                'CalibratedWeighting was not fitted: the teacher needs a holdout. Give '
                'DistillationLossHook (or TeacherWeightingHook) a holdout_dataloader.'
            )
        return found
