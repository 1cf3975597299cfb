"""An exported model beside the one that it was made of: logits, predictions, metrics, time."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..evaluation.comparison import compare_groups
from ..evaluation.comparison_text import difference_table
from ..evaluation.score_groups import load_groups
from .clips import ClipReader
from .inferencer import ActionInferencer
from .sources import VideoSource

BATCHES = (1, 8)


class NetworkComparison(NamedTuple):
    """What a comparison found.

    Args:
        largest_difference: Of a logit, over all clips and tasks.
        agreement: Share of (clip, task) pairs with the same most probable class.
        milliseconds: Batch size to (first, second) arrays of times of one call.
        metrics: Accuracy, ECE and NLL of both with the intervals of their differences, as Markdown;
            empty without labels.
    """

    largest_difference: float
    agreement: float
    milliseconds: dict[int, tuple[np.ndarray, np.ndarray]]
    metrics: tuple[str, ...] = ()


def compare_on_videos(
    first: ActionInferencer, second: ActionInferencer, videos: Sequence[Path], rounds: int = 20
) -> NetworkComparison:
    """Run two models on the same packed clips.

    Args:
        first: The reference.
        second: What was made of it.
        videos: One clip each.
        rounds: Timed calls per batch size, in turns.
    """
    reader = ClipReader(first.described.clip)
    differences, same = [], []
    for path in videos:
        source = VideoSource(path)
        clip = reader.inputs(source.read, 0, source.num_frames, source.name)
        one, other = (model.network.logits([clip]) for model in (first, second))
        for task, logits in one.items():
            differences.append(float(np.abs(logits - other[task]).max()))
            same.append(bool(logits.argmax() == other[task].argmax()))
    times = call_times(first, second, clip, rounds)
    return NetworkComparison(max(differences), float(np.mean(same)), times)


def compare_dumps(before: str | Path, after: str | Path) -> NetworkComparison:
    """Two models by the dumps of their tests on the same clips; times are not known then.

    Raises:
        FileNotFoundError, ValueError: As `load_groups`.
    """
    groups = load_groups([f'before={before}', f'after={after}'])
    one, other = (group.tables[0] for group in groups)
    pairs = [(one.mean_scores(task), other.mean_scores(task)) for task in one.scores]
    largest = max(float(np.abs(theirs - ours).max()) for theirs, ours in pairs)
    same = [float((theirs.argmax(1) == ours.argmax(1)).mean()) for theirs, ours in pairs]
    table = difference_table(compare_groups(groups)['comparisons'][0])
    return NetworkComparison(largest, float(np.mean(same)), {}, tuple(table))


def call_times(
    first: ActionInferencer, second: ActionInferencer, clip: np.ndarray, rounds: int
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Batch size to milliseconds of a call of each, in turns: a busy machine slows both."""
    found = {}
    for size in BATCHES:
        taken = np.empty((2, rounds))
        for number in range(-1, rounds):  # the call before the first warms up
            for row, model in enumerate((first, second)):
                begin = time.perf_counter()
                model.network.logits([clip] * size)
                taken[row, number] = 1000 * (time.perf_counter() - begin)
        found[size] = (taken[0], taken[1])
    return found


def comparison_lines(found: NetworkComparison) -> list[str]:
    """What was found, in words."""
    lines = [
        f'Largest difference of a logit: {found.largest_difference:.2g}; the same prediction in '
        f'{100 * found.agreement:.1f} %.',
        *found.metrics,
    ]
    for size, (first, second) in found.milliseconds.items():
        texts = [f'{np.median(x):.1f} ms (p95 {np.percentile(x, 95):.1f})' for x in (first, second)]
        ratio = float(np.median(second / first))
        lines.append(
            f'Batch of {size}: PyTorch {texts[0]}, exported {texts[1]}, ratio {ratio:.2f}.'
        )
    return lines
