"""The geometry of a clip: drawn once by MMAction2's transforms, followed by every modality.

Needs NumPy and OpenCV alone: an exported student cuts its frames by it, too.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np


@dataclass(frozen=True)
class ClipGeometry:
    """Where the crops of a clip lie in its frames, in units that hold at any resolution.

    Attributes:
        crops_C4: x1 y1 x2 y2 of each crop as fractions of the frame, (C, 4) float64.
        flip: Whether the crops are mirrored horizontally afterwards.
        size: Height and width of the crops in pixels.
    """

    crops_C4: np.ndarray
    flip: bool
    size: tuple[int, int]

    @classmethod
    def from_results(cls, results: dict[str, Any]) -> 'ClipGeometry':
        """Read off what MMAction2's Resize, Flip and crops recorded in `results`.

        Raises:
            ValueError: A transform was used whose crops cannot be followed.
        """
        if results.get('flip') and results.get('flip_direction') != 'horizontal':
            raise ValueError('Only horizontal flips can be followed by all modalities.')
        x, y, w, h = np.asarray(results.get('crop_quadruple', (0, 0, 1, 1)), dtype=np.float64)
        crops_C4 = np.array([[x, y, x + w, y + h]])
        boxes = np.asarray(results.get('crop_bbox', ()))
        if boxes.ndim == 2:
            if len(boxes) > 3:
                raise ValueError(f'{len(boxes)} crops per clip: use ThreeCrop or CenterCrop.')
            # ThreeCrop reports pixels of the resized frame, and does not update crop_quadruple.
            height, width = np.multiply(results['original_shape'], (h, w))
            scale_w, scale_h = results.get('scale_factor', (1.0, 1.0))
            pixels = np.array([width * scale_w, height * scale_h]).round()
            inside_C4 = boxes / np.tile(pixels, 2)
            crops_C4 = np.tile([x, y], 2) + inside_C4 * np.tile([w, h], 2)
        height, width = results['img_shape']
        return cls(crops_C4, bool(results.get('flip', False)), (int(height), int(width)))


def move_image(
    image: np.ndarray, crop_4: np.ndarray, flip: bool, size: tuple[int, int]
) -> np.ndarray:
    """Crop (x1 y1 x2 y2 as fractions), resize to (height, width) and mirror one image.

    The crop may lie between pixels: one warp does all three, so that modalities stored at
    different resolutions stay on each other to a fraction of a pixel. Strong shrinking would
    alias under bilinear sampling, so it goes through whole pixels and area averaging instead.
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = crop_4 * (width, height, width, height)
    scale_x, scale_y = size[1] / (x2 - x1), size[0] / (y2 - y1)
    if min(scale_x, scale_y) < 0.5:
        left, top, right, bottom = (round(v) for v in (x1, y1, x2, y2))
        image = image[top : max(bottom, top + 1), left : max(right, left + 1)]
        moved = cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA)
        moved = np.ascontiguousarray(moved[:, ::-1]) if flip else moved
        return moved.reshape(*size, *image.shape[2:])
    # Pixel centres sit at +0.5 in both frames, as cv2.resize has it.
    matrix = np.array(
        [
            [scale_x, 0.0, (0.5 - x1) * scale_x - 0.5],
            [0.0, scale_y, (0.5 - y1) * scale_y - 0.5],
        ]
    )
    if flip:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size[1] - 1
    moved = cv2.warpAffine(
        image, matrix, (size[1], size[0]), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return moved.reshape(*size, *image.shape[2:])  # OpenCV drops the axis of a single channel
