"""A published or exported model in a test of MMEngine's runner, beside all others.

Shape legend: B = clips, V = views, K = classes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmaction.utils import OptSampleList, SampleList
from mmengine.device import get_device
from mmengine.model import BaseModel
from torch import Tensor

from ..joint_actions import ACTION
from ..registry import MODELS
from .inferencer import EXPORTED, load_model

ENDINGS = ('.safetensors', *EXPORTED)


@MODELS.register_module()
class PublishedRecognizer(BaseModel):
    """Predict with the file of a published or exported model; it cannot be trained.

    Args:
        path: Of the file.
        temperatures: Task to what its logits are divided by; 'own' are those of the file, None
            leaves them as they are.

    Raises:
        FileNotFoundError, ValueError: As `load_model`.
    """

    def __init__(
        self, path: str | Path, temperatures: Mapping[str, float] | str | None = None
    ) -> None:
        super().__init__()
        model = load_model(path, 'auto' if Path(path).suffix in EXPORTED else get_device())
        # Held as plain attributes: there is nothing here to be trained, moved or saved.
        self.described, self.network = model.described, model.network
        own = model.described.temperatures if temperatures == 'own' else temperatures
        self.temperatures: Mapping[str, float] = own if isinstance(own, Mapping) else {}

    def forward(
        self, inputs: list[Tensor], data_samples: OptSampleList = None, mode: str = 'tensor'
    ) -> SampleList | dict[str, Tensor]:
        """Logits (B, V, K) per task, or samples with those of each view as `pred_score`.

        Raises:
            RuntimeError: `mode='loss'`.
        """
        if mode == 'loss':
            raise RuntimeError('A published model predicts; train the student that it is of.')
        logits = {
            task: torch.from_numpy(x) / self.temperatures.get(task, 1.0)
            for task, x in self.network.view_logits([x.cpu().numpy() for x in inputs]).items()
        }
        if mode == 'tensor' or data_samples is None:
            return logits
        for number, sample in enumerate(data_samples):
            scores: Any = {task: x[number] for task, x in logits.items()}
            sample.set_field(scores[ACTION] if set(scores) == {ACTION} else scores, 'pred_score')
        return data_samples
