"""Optical flow by RAFT of torchvision, where that is installed."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor, nn

from mmdistill.checkpoints import load_strictly, read_checkpoint
from mmdistill.ranges import ONE_OR_MORE
from mmdistill.registry import FLOW_ESTIMATORS

# torchvision's weights, by names that stay; each was trained for general use.
WEIGHTS = {'raft_large': 'C_T_SKHT_V2', 'raft_small': 'C_T_V2'}
# RAFT halves the frames three times, and its features four times more.
SMALLEST, MULTIPLE = 128, 8


@FLOW_ESTIMATORS.register_module()
class RAFT:
    """Recurrent all-pairs field transforms; sharper than DIS, and made for a GPU.

    Teed and Deng, *RAFT: Recurrent All-Pairs Field Transforms for Optical Flow*, ECCV 2020.
    https://arxiv.org/abs/2003.12039

    Args:
        model: 'raft_large' or 'raft_small'.
        weights: A file with a state dict, or the name of weights that torchvision downloads; None
            is its best for general use.
        iterations: Of the update, each of which refines the flow.
        device: 'cuda' deals the GPUs of the machine out to the workers; None takes it if there is
            one, else the CPU.

    Raises:
        ImportError: If torchvision is not installed.
        FileNotFoundError, ValueError: If there are no such weights, or they do not fit the model.
    """

    colour = True

    def __init__(
        self,
        model: str = 'raft_large',
        weights: str | None = None,
        iterations: int = 12,
        device: str | None = None,
    ) -> None:
        if model not in WEIGHTS:
            raise ValueError(f'RAFT has the models {sorted(WEIGHTS)}, got {model!r}.')
        ONE_OR_MORE.check(iterations=iterations)
        self.model = _build(model, weights or WEIGHTS[model]).eval()
        self.iterations = iterations
        self.device = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))

    def prepare(self, worker: int) -> None:
        """Move the model to the worker's GPU; on the CPU, workers are the parallelism."""
        if self.device.type == 'cuda' and self.device.index is None:
            self.device = torch.device('cuda', worker % torch.cuda.device_count())
        elif self.device.type == 'cpu':
            torch.set_num_threads(1)
        self.model.to(self.device)

    @torch.inference_mode()
    def __call__(self, prev_HW3: np.ndarray, next_HW3: np.ndarray) -> np.ndarray:
        """Motion from one RGB uint8 image to the next: (H, W, 2) float32 pixels, x then y."""
        height, width = prev_HW3.shape[:2]
        prev, following = (_padded(image, self.device) for image in (prev_HW3, next_HW3))
        flow = self.model(prev, following, num_flow_updates=self.iterations)[-1]
        return flow[0, :, :height, :width].permute(1, 2, 0).float().cpu().numpy()


def _build(model: str, weights: str) -> nn.Module:
    try:
        from torchvision.models import get_model, get_model_weights
    except (ImportError, RuntimeError) as error:  # the latter where its operators do not fit torch
        raise ImportError(
            f'RAFT needs torchvision, in the version for torch {torch.__version__}: '
            f'pip install torchvision ({error}).'
        ) from error
    if Path(weights).suffix in ('.pth', '.pt'):
        network = get_model(model, weights=None)
        _load(network, Path(weights))
        return network
    names = [entry.name for entry in get_model_weights(model)]
    if weights not in names:
        raise ValueError(f'{model} has the weights {names}, or a .pth file; got {weights!r}.')
    return get_model(model, weights=weights)


def _load(network: nn.Module, path: Path) -> None:
    advice = 'Give weights of this model of torchvision.'
    load_strictly(network, read_checkpoint(path), path, type(network).__name__, advice)


def _padded(image_HW3: np.ndarray, device: torch.device) -> Tensor:
    """(1, 3, H', W') in -1 to 1; the last row and column are repeated."""
    height, width = image_HW3.shape[:2]
    bottom, right = (max(SMALLEST, -(-n // MULTIPLE) * MULTIPLE) - n for n in (height, width))
    image = torch.from_numpy(np.ascontiguousarray(image_HW3)).to(device)
    image = image.permute(2, 0, 1)[None].float() / 127.5 - 1
    return F.pad(image, (0, right, 0, bottom), mode='replicate')
