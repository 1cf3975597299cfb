"""An exported model beside the one that it was made of: logits, predictions, time."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from .clips import ClipReader
from .inferencer import ActionInferencer
from .sources import VideoSource

BATCHES = (1, 8)


class NetworkComparison(NamedTuple):
    """What a comparison found.

    Args:
        largest_difference: Of a logit, over all videos and tasks.
        agreement: Share of (video, task) pairs with the same most probable class.
        milliseconds: Batch size to (first, second) arrays of times of one call.
    """

    largest_difference: float
    agreement: float
    milliseconds: dict[int, tuple[np.ndarray, np.ndarray]]


def compare_networks(
    first: ActionInferencer, second: ActionInferencer, videos: Sequence[Path], rounds: int = 20
) -> NetworkComparison:
    """Run two models on the same packed clips, in turns.

    Args:
        first: The reference.
        second: What was made of it.
        videos: One clip each.
        rounds: Timed calls per batch size.
    """
    reader = ClipReader(first.described.clip)
    sources = [VideoSource(path) for path in videos]
    clips = [reader.inputs(s.read, 0, s.num_frames, s.name) for s in sources]
    differences, same = [], []
    for clip in clips:
        one, other = (model.network.logits([clip]) for model in (first, second))
        for task, logits in one.items():
            differences.append(float(np.abs(logits - other[task]).max()))
            same.append(bool(logits.argmax() == other[task].argmax()))
    times = {size: _times([first, second], [clips[0]] * size, rounds) for size in BATCHES}
    return NetworkComparison(max(differences), float(np.mean(same)), times)


def _times(
    models: list[ActionInferencer], clips: list[Tensor], rounds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds of one call each, measured in turns so that a busy machine slows both."""
    for model in models:
        model.network.logits(clips)
    taken = np.empty((len(models), rounds))
    for number in range(rounds):
        for row, model in enumerate(models):
            begin = time.perf_counter()
            model.network.logits(clips)
            taken[row, number] = 1000 * (time.perf_counter() - begin)
    return taken[0], taken[1]


def comparison_lines(found: NetworkComparison) -> list[str]:
    """What was found, in words."""
    lines = [
        f'Largest difference of a logit: {found.largest_difference:.2g}; the same prediction in '
        f'{100 * found.agreement:.1f} %.'
    ]
    for size, (first, second) in found.milliseconds.items():
        texts = [f'{np.median(x):.1f} ms (p95 {np.percentile(x, 95):.1f})' for x in (first, second)]
        ratio = float(np.median(second / first))
        lines.append(
            f'Batch of {size}: PyTorch {texts[0]}, exported {texts[1]}, ratio {ratio:.2f}.'
        )
    return lines
