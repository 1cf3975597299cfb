"""A recognizer of PyTorch as a function from packed frames to logits.

Shape legend: B = clips, V = views, K = classes.
"""

import contextlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..models.logits import logits_of_views

PRECISIONS = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}


def mean_over_views(logits: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """(B, V, K) logits of each task to (B, K)."""
    return {task: x.mean(axis=1) for task, x in logits.items()}


class TorchNetwork:
    """A recognizer of PyTorch as a function from packed frames to logits.

    Args:
        network: The recognizer.
        device: See `load_model`.
        precision: Likewise.

    Raises:
        ValueError: Unknown device or precision, or no GPU.
    """

    def __init__(self, network: nn.Module, device: str = 'auto', precision: str = 'fp32') -> None:
        if device == 'auto':
            device = 'cuda' if torch.cuda.is_available() else 'cpu'
        if not re.fullmatch(r'cpu|(cuda|mps|xpu)(:\d+)?', device):
            raise ValueError(f'device={device!r}: expected auto, cpu, cuda, cuda:1, …')
        if device.startswith('cuda') and not torch.cuda.is_available():
            raise ValueError(f'device={device!r}: PyTorch sees no GPU here; use cpu.')
        if precision not in PRECISIONS or (precision == 'fp16' and device == 'cpu'):
            raise ValueError(
                f'precision={precision!r}: expected one of {list(PRECISIONS)}; fp16 needs a GPU.'
            )
        self.device, self.precision = torch.device(device), precision
        self.network: Any = network.to(self.device)

    @torch.inference_mode()
    def view_logits(self, inputs: list[Tensor]) -> dict[str, np.ndarray]:
        """Task to (B, V, K) float32 of B clips of the same shape."""
        batch = dict(inputs=[x.to(self.device) for x in inputs], data_samples=None)
        stacked = self.network.data_preprocessor(batch)['inputs']
        with self._autocast():
            found = logits_of_views(self.network, stacked, len(inputs))
        return {task: x.float().cpu().numpy() for task, x in found.items()}

    def logits(self, inputs: list[Tensor]) -> dict[str, np.ndarray]:
        """Task to (B, K), averaged over the views."""
        return mean_over_views(self.view_logits(inputs))

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.precision == 'fp32':
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=PRECISIONS[self.precision])
