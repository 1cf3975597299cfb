"""From views of uint8 frames to logits, as one module: what is exported, in every format.

Normalisation is in it. Shape legend: N = views, K = classes.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..models.logits import by_task
from .clips import ClipReader
from .described import PublishedModel
from .views import as_views


class ViewNetwork(nn.Module):
    """From views of uint8 frames to logits: what is exported.

    Args:
        recognizer: In evaluation mode.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, recognizer: Any) -> None:
        super().__init__()
        self.recognizer: Any = recognizer
        preprocessor = recognizer.data_preprocessor
        self.swapped = bool(preprocessor.to_rgb)
        self.channel_axis = -4 if preprocessor.format_shape == 'NCTHW' else -3
        for name, default in (('mean', 0.0), ('std', 1.0)):
            shape = (-1,) + (1,) * (-self.channel_axis - 1)
            value = getattr(preprocessor, name, torch.full((3,), default))
            self.register_buffer(name, value.detach().reshape(shape).clone())

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """One tensor of logits (N, K) per task, in the order of the classes."""
        x = frames.to(self.mean.dtype)
        if self.swapped:
            x = x.flip(self.channel_axis)
        x = (x - self.mean) / self.std
        if self.channel_axis == -4:
            x = x.unsqueeze(1)  # 3D recognizers expect an axis of views
        found = self.recognizer.extract_feat(x, test_mode=True)
        feats, head_kwargs = found if isinstance(found, tuple) else (found, {})
        head = self.recognizer.cls_head
        return tuple(by_task(head(feats, **head_kwargs), head).values())


def example_clip(described: PublishedModel) -> np.ndarray:
    """Random frames, packed as those of a video are."""
    frames = np.random.default_rng(0).integers(0, 256, (64, 240, 320, 3), dtype=np.uint8)
    return ClipReader(described.clip).inputs(lambda inds: frames[inds], 0, len(frames))


def example_views(described: PublishedModel, count: int = 2) -> Tensor:
    """Random views of the right shape, (count, …) uint8."""
    views = torch.from_numpy(as_views(example_clip(described), described))
    return torch.cat([views] * count)[:count]
