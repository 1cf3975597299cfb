"""Views of clips as a network takes them, and logits as it gives them.

Shape legend: B = clips, V = views, K = classes, N = views of the batch.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from .described import PublishedModel


def frames_per_view(clip: Mapping[str, Any]) -> int:
    """Frames that a recognizer sees at once; of a 2D one its segments."""
    sample = clip['sample']
    sampled: int = (
        sample.get('num_clips', 1) if sample.get('clip_len', 1) == 1 else sample['clip_len']
    )
    return clip['modality'].get('clip_len') or sampled


def as_views(inputs: np.ndarray, described: PublishedModel) -> np.ndarray:
    """Packed frames of a clip as (V, …): of a 2D recognizer, the segments of a view together."""
    if described.clip['modality'].get('input_format', 'NCTHW') == 'NCTHW':
        return inputs
    return inputs.reshape(-1, frames_per_view(described.clip), *inputs.shape[1:])


def by_clip(outputs: Mapping[str, np.ndarray], num_clips: int) -> dict[str, np.ndarray]:
    """Task to logits (N, K) of all views, as (B, V, K) float32."""
    return {
        task: np.asarray(x, np.float32).reshape(num_clips, -1, x.shape[-1])
        for task, x in outputs.items()
    }


class ExportedNetwork(ABC):
    """An exported model as a function from packed frames to logits; see `TorchNetwork`.

    Args:
        described: What is known of the model.
    """

    def __init__(self, described: PublishedModel) -> None:
        self.described = described

    @abstractmethod
    def run(self, views: np.ndarray) -> Mapping[str, np.ndarray]:
        """Task to logits (N, K) of views of uint8 frames (N, …)."""

    def view_logits(self, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Task to (B, V, K) float32 of B clips of the same shape."""
        views = np.concatenate([as_views(x, self.described) for x in inputs])
        return by_clip(self.run(views), len(inputs))

    def logits(self, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Task to (B, K), averaged over the views."""
        return mean_over_views(self.view_logits(inputs))


def num_threads() -> int:
    """Threads of a network on the CPU: OMP_NUM_THREADS, as PyTorch reads it; 0 for all cores.

    Raises:
        ValueError: It is no number.
    """
    text = os.environ.get('OMP_NUM_THREADS', '').partition(',')[0]
    if text and not text.isdigit():
        raise ValueError(f'OMP_NUM_THREADS is a number of threads, got {text!r}: set it anew.')
    return int(text or 0)


def mean_over_views(logits: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """(B, V, K) logits of each task to (B, K)."""
    return {task: x.mean(axis=1) for task, x in logits.items()}
