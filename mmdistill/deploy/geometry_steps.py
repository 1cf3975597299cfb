"""Where the crops of a test lie: MMAction2's Resize, CenterCrop and ThreeCrop as arithmetic.

No frame is touched here; what the steps would record is turned into a `ClipGeometry`. Compared with
MMAction2 in the tests.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..geometry import ClipGeometry

CROPS = {1: 'CenterCrop', 3: 'ThreeCrop'}


def drawn_geometry(
    steps: Sequence[Mapping[str, Any]], shape: tuple[int, int], name: str = ''
) -> ClipGeometry:
    """The crops of frames with this height and width.

    Args:
        steps: Of a test pipeline, in their order.
        shape: Height and width of the frames.
        name: Of the video, for errors.

    Raises:
        ValueError: A step is of another kind, or the frames do not fit it.
    """
    results: dict[str, Any] = dict(
        img_shape=shape,
        original_shape=shape,
        scale_factor=np.ones(2, np.float32),
        crop_quadruple=np.array([0, 0, 1, 1], np.float32),
    )
    for step in steps:
        kind = str(step['type']).rpartition('.')[2]
        if kind not in STEPS:
            raise ValueError(f'{name}: the model has the step {kind}; expected {list(STEPS)}.')
        STEPS[kind](results, step, name)
    return ClipGeometry.from_results(results)


def resized(shape: tuple[int, int], scale: Any, keep_ratio: bool = True) -> tuple[int, int]:
    """Height and width after `Resize`.

    Args:
        shape: Before it.
        scale: A factor, or the two edges (width, height); -1 leaves the longer one open.
        keep_ratio: Whether the edges are limits that the frame is fitted into.
    """
    height, width = shape
    if not isinstance(scale, (tuple, list)):
        return int(height * scale + 0.5), int(width * scale + 0.5)
    if not keep_ratio:
        return int(scale[1]), int(scale[0])
    long, short = max(scale), min(scale)
    if short == -1:
        long, short = np.inf, long
    factor = min(long / max(height, width), short / min(height, width))
    return int(height * float(factor) + 0.5), int(width * float(factor) + 0.5)


def _resize(results: dict[str, Any], step: Mapping[str, Any], _: str) -> None:
    height, width = results['img_shape']
    new = resized((height, width), step['scale'], step.get('keep_ratio', True))
    results['img_shape'] = new
    factor = np.array([new[1] / width, new[0] / height], np.float32)
    results['scale_factor'] = results['scale_factor'] * factor


def _center_crop(results: dict[str, Any], step: Mapping[str, Any], _: str) -> None:
    height, width = results['img_shape']
    crop_width, crop_height = _pair(step['crop_size'])
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    x, y, w, h = results['crop_quadruple']
    results['crop_quadruple'] = np.array(
        [
            x + left / width * w,
            y + top / height * h,
            crop_width / width * w,
            crop_height / height * h,
        ],
        np.float32,
    )
    results['img_shape'] = (crop_height, crop_width)


def _three_crops(results: dict[str, Any], step: Mapping[str, Any], name: str) -> None:
    height, width = results['img_shape']
    crop_width, crop_height = _pair(step['crop_size'])
    if crop_height != height and crop_width != width:
        raise ValueError(
            f'{name}: ThreeCrop of {crop_width} x {crop_height} pixels expects frames of the same '
            f'width or height, got {width} x {height}.'
        )
    across = crop_height == height
    room = width - crop_width if across else height - crop_height
    places = [0, room // 2 * 2, room // 2]  # left, right, middle
    results['crop_bbox'] = np.array(
        [
            (x, y, x + crop_width, y + crop_height)
            for x, y in ((p, 0) if across else (0, p) for p in places)
        ]
    )
    results['img_shape'] = (crop_height, crop_width)


def _pair(size: Any) -> tuple[int, int]:
    """Width and height of a crop."""
    width, height = (size, size) if isinstance(size, int) else size
    return int(width), int(height)


STEPS = {'Resize': _resize, 'CenterCrop': _center_crop, 'ThreeCrop': _three_crops}
