"""The geometry of a clip: drawn once by MMAction2's transforms, followed by every modality."""

from dataclasses import dataclass
from typing import Any

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
