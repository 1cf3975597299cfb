"""Pipeline steps for MMAction2's own functions: the pictures that a student was trained on.

MMAction2's DecordInit and DecordDecode neither turn a phone's pictures nor count those of every
container as the training did.
"""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from ..registry import TRANSFORMS
from ..video import index_video, read_clip


@TRANSFORMS.register_module()
class VideoInit(BaseTransform):
    """Find out how many pictures a video shows: in place of DecordInit.

    Required keys: `filename`. Added keys: `total_frames`, `avg_fps`.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Raises `VideoError` where the file cannot be read."""
        index = index_video(results['filename'])
        return {
            **results,
            'total_frames': index.num_frames,
            'avg_fps': index.frames_per_second,
        }


@TRANSFORMS.register_module()
class VideoDecode(BaseTransform):
    """Read the sampled pictures, upright: in place of DecordDecode.

    Required keys: `filename`, `frame_inds`. Added keys: `imgs` (RGB), `img_shape`,
    `original_shape`.

    Args:
        num_threads: Decoding threads.
    """

    def __init__(self, num_threads: int = 1) -> None:
        self.num_threads = num_threads

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Raises `VideoError` where the file cannot be read."""
        unique, inverse = np.unique(np.asarray(results['frame_inds']).ravel(), return_inverse=True)
        frames = read_clip(results['filename'], unique, self.num_threads)
        shape = frames.shape[1:3]
        return {
            **results,
            'imgs': [frames[place] for place in inverse],
            'img_shape': shape,
            'original_shape': shape,
        }
