"""How optical flow is computed from two frames: the protocol, and what OpenCV has."""

from collections.abc import Callable

import cv2
import numpy as np

from mmdistill.registry import FLOW_ESTIMATORS

# Two grey uint8 frames (H, W) to their motion (H, W, 2) in pixels. One with `colour = True` gets
# RGB frames (H, W, 3); `prepare(worker)`, where there is one, is called once in each worker.
FlowEstimator = Callable[[np.ndarray, np.ndarray], np.ndarray]


@FLOW_ESTIMATORS.register_module()
class DIS:
    """Dense inverse search, as OpenCV has it.

    Kroeger et al., *Fast Optical Flow using Dense Inverse Search*, ECCV 2016.
    https://arxiv.org/abs/1603.03590

    Args:
        preset: 'ultrafast', 'fast' or 'medium', from quick to exact.
    """

    PRESETS = {
        'ultrafast': cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
        'fast': cv2.DISOPTICAL_FLOW_PRESET_FAST,
        'medium': cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    }

    def __init__(self, preset: str = 'medium') -> None:
        if preset not in self.PRESETS:
            raise ValueError(f'DIS has the presets {sorted(self.PRESETS)}, got {preset!r}.')
        self._dis = cv2.DISOpticalFlow_create(self.PRESETS[preset])

    def __call__(self, prev_HW: np.ndarray, next_HW: np.ndarray) -> np.ndarray:
        """Motion from one grey uint8 image to the next: (H, W, 2) float32 pixels, x then y."""
        return self._dis.calc(np.ascontiguousarray(prev_HW), np.ascontiguousarray(next_HW), None)


@FLOW_ESTIMATORS.register_module()
class TVL1:
    """Total variation and L1 norm, as OpenCV's contributed modules have it; slow.

    Zach, Pock and Bischof, *A Duality Based Approach for Realtime TV-L1 Optical Flow*, DAGM 2007.

    Args:
        **options: Of OpenCV, such as tau, nscales, warps, epsilon.

    Raises:
        ImportError: If this OpenCV was built without its contributed modules.
        ValueError: If it knows no such option.
    """

    def __init__(self, **options: float) -> None:
        if not hasattr(cv2, 'optflow'):
            raise ImportError(
                f'TV-L1 is not in this OpenCV ({cv2.__version__}): install opencv-contrib-python, '
                'which replaces opencv-python, in the same version.'
            )
        try:
            self._tvl1 = cv2.optflow.DualTVL1OpticalFlow_create(**options)
        except (TypeError, cv2.error) as error:
            raise ValueError(f'TV-L1 does not take these options: {options} ({error}).') from error

    def __call__(self, prev_HW: np.ndarray, next_HW: np.ndarray) -> np.ndarray:
        """Motion from one grey uint8 image to the next: (H, W, 2) float32 pixels, x then y."""
        return self._tvl1.calc(np.ascontiguousarray(prev_HW), np.ascontiguousarray(next_HW), None)
