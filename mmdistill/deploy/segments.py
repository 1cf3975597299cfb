"""Long videos: where windows begin, and how their predictions become segments."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..ranges import ONE_OR_MORE
from .prediction import Prediction


@dataclass(frozen=True)
class Segment:
    """A stretch of video in which windows that follow each other predict the same.

    Args:
        source: The video.
        start: Seconds from its beginning.
        stop: Likewise.
        label: What is predicted.
        confidence: Mean probability of the label over the windows, from 0 to 1.
    """

    source: str
    start: float
    stop: float
    label: str
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def window_starts(num_frames: int, window: int, stride: int) -> list[int]:
    """First frames of windows that cover a video: every `stride` frames, and the end.

    A video that is shorter than a window has one, from its beginning.

    Raises:
        ValueError: A number is less than 1.
    """
    ONE_OR_MORE.check(num_frames=num_frames, window=window, stride=stride)
    starts = list(range(0, max(num_frames - window, 0) + 1, stride))
    if starts[-1] + window < num_frames:
        starts.append(num_frames - window)
    return starts


def merge_windows(predictions: Sequence[Prediction]) -> list[Segment]:
    """Join windows that follow each other and predict the same.

    Where the windows of two segments overlap, the border is in the middle of the overlap.

    Args:
        predictions: Of one video, in order.
    """
    groups: list[list[Prediction]] = []
    for prediction in predictions:
        if groups and groups[-1][-1].label == prediction.label:
            groups[-1].append(prediction)
        else:
            groups.append([prediction])
    borders = [
        (before[-1].stop + after[0].start) / 2
        for before, after in zip(groups, groups[1:], strict=False)
    ]
    starts = [group[0].start for group in groups[:1]] + borders
    stops = borders + [group[-1].stop for group in groups[-1:]]
    return [
        Segment(
            source=group[0].source,
            start=start,
            stop=stop,
            label=group[0].label,
            confidence=sum(p.confidence for p in group) / len(group),
        )
        for group, start, stop in zip(groups, starts, stops, strict=True)
    ]
