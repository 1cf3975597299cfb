"""What a detector saw in one video, and whether its arrays can mean that.

Shape legend: F processed frames of the video, M boxes, D numbers of an ROI feature.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..ranges import ONE_OR_MORE

# A sum of float32 probabilities may end a little above 1.
LARGEST_SCORE = 1 + 1e-5
SIZES = ('width', 'height', 'num_frames', 'stride')


class VideoDetections(NamedTuple):
    """The detections of a video; its `boxes_M4` are x1 y1 x2 y2 in pixels.

    The boxes of processed frame i are rows `offsets_F1[i]` to `offsets_F1[i + 1]`.
    """

    width: int
    height: int
    num_frames: int
    stride: int
    frames_F: np.ndarray
    offsets_F1: np.ndarray
    boxes_M4: np.ndarray
    scores_M: np.ndarray
    labels_M: np.ndarray
    features_MD: np.ndarray | None = None


def box_faults(boxes_M4: np.ndarray, scores_M: np.ndarray) -> dict[str, np.ndarray]:
    """What is wrong with boxes, in words, to the rows (M,) of which it is true.

    Every comparison with NaN is false, so each asks for what is right.
    """
    finite_M = np.isfinite(boxes_M4).all(axis=1)
    sides_M2 = boxes_M4[:, 2:] - boxes_M4[:, :2]
    return {
        'have coordinates that are NaN or infinite': ~finite_M,
        'have no width or no height (x2 <= x1 or y2 <= y1)': finite_M & ~(sides_M2 > 0).all(axis=1),
        'have a score that is not from 0 to 1': ~((scores_M >= 0) & (scores_M <= LARGEST_SCORE)),
    }


def impossible_boxes(boxes_M4: np.ndarray, scores_M: np.ndarray) -> np.ndarray:
    """Which rows (M,) have any of the `box_faults`."""
    return np.any(list(box_faults(boxes_M4, scores_M).values()), axis=0)


def box_problems(video: VideoDetections, num_classes: int) -> list[str]:
    """What is wrong with the boxes of a video, a sentence with a count each."""
    faults = box_faults(video.boxes_M4, video.scores_M)
    known_M = (video.labels_M >= 0) & (video.labels_M < num_classes)
    faults[f'have a label that is none of the {num_classes} classes'] = ~known_M
    return [
        f'{rows_M.sum()} of {len(rows_M)} boxes {what}'
        for what, rows_M in faults.items()
        if rows_M.any()
    ]


def check_frames(frames_F: np.ndarray, offsets_F1: np.ndarray, num_boxes: int, where: str) -> None:
    """Raise ValueError, which begins with `where`, unless frames and offsets fit the boxes."""
    for name, array in (('frames', frames_F), ('offsets', offsets_F1)):
        if array.ndim != 1 or array.dtype.kind not in 'iu':
            raise ValueError(
                f'{where}: {name} must be a list of whole numbers, got {array.dtype} of shape '
                f'{array.shape}.'
            )
    steps = np.diff(frames_F.astype(np.int64))
    if (steps <= 0).any() or (frames_F[:1] < 0).any():
        raise ValueError(f'{where}: frames must be 0 or more and increase, got {_first(frames_F)}.')
    fits = len(offsets_F1) == len(frames_F) + 1 and offsets_F1[0] == 0
    if not fits or offsets_F1[-1] != num_boxes or (np.diff(offsets_F1.astype(np.int64)) < 0).any():
        raise ValueError(
            f'{where}: offsets must be one more than the {len(frames_F)} frames, begin at 0, not '
            f'fall and end at the {num_boxes} boxes, got {_first(offsets_F1)}.'
        )


def check_sizes(sizes: Mapping[str, object], where: str) -> None:
    """Raise ValueError, which begins with `where`, unless the `SIZES` are all there and >= 1."""
    for name in SIZES:
        if sizes.get(name) not in ONE_OR_MORE:
            raise ValueError(f'{where}: {name} must be a {ONE_OR_MORE}, got {sizes.get(name)}.')


def check_shapes(arrays: Mapping[str, Any], where: str) -> None:
    """Raise ValueError, which begins with `where`, unless every array has a row for each box.

    Args:
        arrays: `boxes`, `scores`, `labels` and perhaps `features`, as NumPy or HDF5 have them.
        where: File and video.
    """
    num_boxes = arrays['boxes'].shape[0] if arrays['boxes'].shape else 0
    expected = {'boxes': (num_boxes, 4), 'scores': (num_boxes,), 'labels': (num_boxes,)}
    for name, array in arrays.items():
        shape = expected.get(name, (num_boxes, *array.shape[1:][:1]))
        if array.shape != shape or array.dtype.kind not in 'iuf':
            raise ValueError(
                f'{where}: {name} of {num_boxes} boxes must be numbers of shape {shape}, got '
                f'{array.dtype} of shape {array.shape}.'
            )


def check_arrays(video: VideoDetections, where: str) -> None:
    """Raise ValueError, which begins with `where`, unless sizes and shapes fit each other."""
    check_sizes({name: getattr(video, name) for name in SIZES}, where)
    arrays = dict(boxes=video.boxes_M4, scores=video.scores_M, labels=video.labels_M)
    if video.features_MD is not None:
        arrays['features'] = video.features_MD
    check_shapes(arrays, where)
    check_frames(video.frames_F, video.offsets_F1, len(video.boxes_M4), where)


def check_video(video: VideoDetections, num_classes: int, where: str) -> None:
    """Raise ValueError, which begins with `where`, for anything that must not enter a file."""
    check_arrays(video, where)
    problems = box_problems(video, num_classes)
    if problems:
        raise ValueError(f'{where}: {"; ".join(problems)}.')


def _first(numbers: np.ndarray) -> str:
    return f'{numbers[:6].tolist()}{" …" if len(numbers) > 6 else ""}'
