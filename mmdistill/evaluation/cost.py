"""What a model costs at test: parameters, floating-point operations, latency, memory.

Counted is everything an answer needs beyond decoding the video: a model that reads flow pays for
computing it, one that reads boxes pays for the detector.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from .peak_memory import peak_bytes


class Cost(NamedTuple):
    """Cost of answering for one clip.

    Args:
        params: Number of parameters.
        flops: Floating-point operations (a multiply-add is two) of matrix products, convolutions
            and attention; element-wise work is not counted.
        latency_ms: Median milliseconds at batch size 1.
        p95_ms: Milliseconds that 95 % of the calls stay below.
        peak_bytes: Weights, and what a call adds to them at its peak.
    """

    params: int = 0
    flops: int = 0
    latency_ms: float = 0.0
    p95_ms: float = 0.0
    peak_bytes: int = 0

    def plus(self, other: 'Cost') -> 'Cost':
        """Both, one after the other; the p95 of a sum is at most this one."""
        sums = [mine + theirs for mine, theirs in zip(self[:4], other[:4], strict=True)]
        return Cost(*sums, max(self.peak_bytes, other.peak_bytes))

    def __str__(self) -> str:
        return (
            f'{self.params / 1e6:.2f} M parameters, {self.flops / 1e9:.2f} GFLOPs, '
            f'{self.latency_ms:.1f} ms (p95 {self.p95_ms:.1f}), {self.peak_bytes / 1e6:.1f} MB'
        )


class Latency(NamedTuple):
    """Percentiles of the milliseconds of a call."""

    p50_ms: float
    p95_ms: float


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


def measure_latency(call: Callable[[], Any], repeats: int = 25, warmup: int = 5) -> Latency:
    """Time a call after a warm-up; waits for the GPU before and after if there is one."""
    if repeats < 1:
        raise ValueError(f'A median needs at least one measurement, got repeats={repeats}.')
    times = []
    with torch.no_grad():
        for index in range(warmup + repeats):
            _wait_for_gpu()
            begin = time.perf_counter()
            call()
            _wait_for_gpu()
            if index >= warmup:
                times.append(1000 * (time.perf_counter() - begin))
    return Latency(*np.percentile(times, [50, 95]).tolist())


def _wait_for_gpu() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def throughput(
    model: nn.Module, item: dict[str, Any], batch_sizes: Sequence[int], repeats: int = 5
) -> dict[int, float | None]:
    """Clips per second of `test_step` by batch size; None where the GPU has too little memory."""
    model.eval()
    found: dict[int, float | None] = {}
    for size in batch_sizes:
        call = partial(model.test_step, pseudo_collate([item] * size))
        try:
            found[size] = 1000 * size / measure_latency(call, repeats, warmup=1).p50_ms
        except torch.cuda.OutOfMemoryError:
            found[size] = None
    return found


def model_cost(model: nn.Module, item: dict[str, Any], repeats: int = 25) -> Cost:
    """Cost of `test_step` on one item of a test data set, all its views together."""
    model.eval()
    batch = pseudo_collate([item])

    def answer() -> Any:
        return model.test_step(batch)

    return _cost_of(answer, model, repeats)


def _cost_of(call: Callable[[], Any], model: nn.Module, repeats: int) -> Cost:
    latency = measure_latency(call, repeats)
    return Cost(count_params(model), count_flops(call), *latency, peak_bytes(call, model))


def detector_cost(detector: Any, frames: np.ndarray, repeats: int = 25) -> Cost:
    """Cost of detecting in the frames of one clip.

    Args:
        detector: A `FrameDetector`.
        frames: (F, H, W, 3) uint8 RGB.
        repeats: Number of measurements.
    """

    def answer() -> Any:
        return detector.detect(frames)

    return _cost_of(answer, detector.model, repeats)


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

    latency = measure_latency(answer, repeats)
    return Cost(latency_ms=latency.p50_ms, p95_ms=latency.p95_ms)


def frames_read(inputs: torch.Tensor, modality: str) -> int:
    """How many frames of a modality one packed clip holds, all views together.

    Boxes are packed (V, T, N, F), images (V, C, T, H, W) or (V * T, C, H, W).
    """
    if modality == 'obj':
        return inputs.shape[0] * inputs.shape[1]
    return inputs.shape[0] * (inputs.shape[2] if inputs.ndim == 5 else 1)
