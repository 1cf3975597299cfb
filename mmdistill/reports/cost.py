"""What a model costs at test: parameters, floating-point operations, latency.

Counted is everything an answer needs beyond decoding the video: a model that reads flow pays for
computing it, one that reads boxes pays for the detector.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


class Cost(NamedTuple):
    """Cost of answering for one clip.

    Args:
        params: Number of parameters.
        flops: Floating-point operations (a multiply-add is two) of matrix products, convolutions
            and attention; element-wise work is not counted.
        latency_ms: Median milliseconds at batch size 1.
    """

    params: int = 0
    flops: int = 0
    latency_ms: float = 0.0

    def plus(self, other: 'Cost') -> 'Cost':
        """Both, one after the other."""
        return Cost(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def count_params(model: nn.Module) -> int:
    """Number of parameters, shared ones once."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_flops(call: Callable[[], Any]) -> int:
    """Floating-point operations of one call, as PyTorch's own counter sees them."""
    with torch.no_grad(), _plain_attention(), FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


@contextmanager
def _plain_attention() -> Iterator[None]:
    # To the counter the fused layer of nn.TransformerEncoder and the fused attention of the CPU
    # are opaque operators, which it would report as free.
    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)


def median_latency_ms(call: Callable[[], Any], repeats: int = 25, warmup: int = 5) -> float:
    """Median milliseconds of a call; waits for the GPU if there is one."""
    if repeats < 1:
        raise ValueError(f'A median needs at least one measurement, got repeats={repeats}.')
    times = []
    with torch.no_grad():
        for index in range(warmup + repeats):
            begin = time.perf_counter()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if index >= warmup:
                times.append(1000 * (time.perf_counter() - begin))
    return median(times)


def model_cost(model: nn.Module, item: dict, repeats: int = 25) -> Cost:
    """Cost of `test_step` on one item of a test data set, all its views together."""
    model.eval()
    batch = pseudo_collate([item])

    def answer() -> Any:
        return model.test_step(batch)

    return Cost(count_params(model), count_flops(answer), median_latency_ms(answer, repeats))


def detector_cost(detector: Any, frames: np.ndarray, repeats: int = 25) -> Cost:
    """Cost of detecting in the frames of one clip.

    Args:
        detector: A `FrameDetector`.
        frames: (F, H, W, 3) uint8 RGB.
        repeats: Number of measurements.
    """

    def answer() -> Any:
        return detector.detect(frames)

    params = count_params(detector.model)
    return Cost(params, count_flops(answer), median_latency_ms(answer, repeats))


def flow_cost(
    estimator: Callable[[np.ndarray, np.ndarray], np.ndarray],
    gray_frames: np.ndarray,
    repeats: int = 25,
) -> Cost:
    """Latency of flow between consecutive frames; operations outside PyTorch cannot be counted.

    Args:
        estimator: A registered flow estimator.
        gray_frames: (F + 1, H, W) uint8, for F flow images.
        repeats: Number of measurements.
    """

    def answer() -> None:
        for before, after in zip(gray_frames[:-1], gray_frames[1:], strict=True):
            estimator(before, after)

    return Cost(latency_ms=median_latency_ms(answer, repeats))


def frames_read(inputs: torch.Tensor, modality: str) -> int:
    """How many frames of a modality one packed clip holds, all views together.

    Boxes are packed (V, T, N, F), images (V, C, T, H, W) or (V * T, C, H, W).
    """
    if modality == 'obj':
        return inputs.shape[0] * inputs.shape[1]
    return inputs.shape[0] * (inputs.shape[2] if inputs.ndim == 5 else 1)
