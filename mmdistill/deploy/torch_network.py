"""A recognizer of PyTorch as a function from packed frames to logits.

Shape legend: B = clips, V = views, K = classes.
"""

import contextlib
import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from ..models.logits import logits_of_views, num_classes_by_task
from ..registry import MODELS
from .described import PublishedModel
from .devices import usable_device
from .published import read_published
from .views import mean_over_views

DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}


def load_torch(
    path: str | Path, device: str = 'auto', precision: str = 'fp32'
) -> tuple[PublishedModel, 'TorchNetwork']:
    """Read a published model; arguments and errors as of `load_model`."""
    described, weights = read_published(path)
    return described, TorchNetwork(build_network(described, weights, path), device, precision)


def build_network(
    described: PublishedModel, weights: Mapping[str, Tensor], path: str | Path
) -> nn.Module:
    """The recognizer with its weights, in evaluation mode.

    Raises:
        ValueError: A part of it is not registered here, or the weights are of another network.
    """
    init_default_scope('mmaction')
    try:
        network = MODELS.build(copy.deepcopy(described.recognizer))
    except Exception as error:  # whatever the parts raise for arguments that they do not know
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        said = 'import the package that has it before load_model' * isinstance(error, KeyError)
        raise ValueError(
            f'{path} has a part that cannot be built here: {said or "is MMAction2 another one?"} '
            f'({reason})'
        ) from error
    try:
        network.load_state_dict(dict(weights), strict=True)
    except RuntimeError as error:
        raise ValueError(f'{path}: the weights do not fit the network it describes.') from error
    numbers = num_classes_by_task(network)
    if {task: len(names) for task, names in described.classes.items()} != numbers:
        raise ValueError(f'{path}: its class names do not fit its network ({numbers}).')
    return network.eval()


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
        self.device, self.precision = usable_device(device), precision
        if precision not in DTYPES or (precision == 'fp16' and self.device.type == 'cpu'):
            raise ValueError(
                f'precision={precision!r}: expected one of {list(DTYPES)}; fp16 needs a GPU.'
            )
        self.network: Any = network.to(self.device)

    @torch.inference_mode()
    def view_logits(self, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Task to (B, V, K) float32 of B clips of the same shape."""
        tensors = [torch.from_numpy(x).to(self.device) for x in inputs]
        batch = dict(inputs=tensors, data_samples=None)
        stacked = self.network.data_preprocessor(batch)['inputs']
        with self._autocast():
            found = logits_of_views(self.network, stacked, len(inputs))
        return {task: x.float().cpu().numpy() for task, x in found.items()}

    def logits(self, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Task to (B, K), averaged over the views."""
        return mean_over_views(self.view_logits(inputs))

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.precision == 'fp32':
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=DTYPES[self.precision])
