"""What a published model sees of a video: the test pipeline of its training, on frames at hand.

Needs NumPy and OpenCV alone, where the model samples by `SampleFrames` or `UniformSample`.
Shape legend: F = frames that are read, V = temporal clips x crops.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..extras import require
from ..geometry import ClipGeometry, move_image
from ..sampling import frames_at_own_rate, sampler_of
from .geometry_steps import CROPS, drawn_geometry

ReadFrames = Callable[[np.ndarray], np.ndarray]


class ClipReader:
    """Sample, crop and pack what a recognizer sees of a span of frames.

    Args:
        clip: As `clip_of_pipeline` gives it.
        clips: Temporal clips per span; None: as in the tests of the training.
        crops: 1 or 3 spatial crops; None likewise.

    Raises:
        ValueError: This pipeline has no such clips or crops.
        ImportError: It samples by a step of MMAction2 that is not installed here.
    """

    def __init__(
        self, clip: Mapping[str, Any], clips: int | None = None, crops: int | None = None
    ) -> None:
        own: dict[str, Any] = copy.deepcopy(dict(clip))
        if clips is not None:
            if own['sample'].get('clip_len', 1) == 1:
                raise ValueError(
                    f'clips={clips}: this model sees the segments of a whole video at once; leave '
                    'clips out.'
                )
            own['sample']['num_clips'] = clips
        if crops is not None:
            own['geometry'] = with_crops(own['geometry'], crops)
        self.sample = sampler_of(own['sample']) or _upstream_sampler(own['sample'])
        self.geometry, self.modality = own['geometry'], own['modality']
        self.pixels = _pixel_transforms(self.modality.get('transforms'))

    def inputs(self, read_frames: ReadFrames, start: int, stop: int, name: str = '') -> np.ndarray:
        """The uint8 array that the network takes, views first: (V, 3, T, H, W) or (V * T, 3, H, W).

        Args:
            read_frames: From 0-based numbers (F,), repeated ones too, to frames (F, H, W, 3).
            start: First frame of the span.
            stop: The frame behind its last one.
            name: Of the video, for errors.

        Raises:
            ValueError: The frames are too small for the crops.
        """
        sampled_VT = self.sample(stop - start) + start
        inds_VT = frames_at_own_rate(sampled_VT, self.modality.get('clip_len'))
        frames_FHW3 = read_frames(inds_VT.ravel())
        geometry = drawn_geometry(self.geometry, frames_FHW3.shape[1:3], name)
        size = self.modality.get('size') or geometry.size
        crops = [
            self.pixels(self._moved(frames_FHW3, crop_4, geometry, size))
            for crop_4 in geometry.crops_C4
        ]
        layout = self.modality.get('input_format', 'NCTHW')
        return packed(np.concatenate(crops), inds_VT.shape, layout)

    @staticmethod
    def _moved(
        frames_FHW3: np.ndarray, crop_4: np.ndarray, geometry: ClipGeometry, size: tuple[int, int]
    ) -> np.ndarray:
        return np.stack([move_image(f, crop_4, geometry.flip, size) for f in frames_FHW3])


def packed(frames: np.ndarray, shape_VT: tuple[int, ...], input_format: str) -> np.ndarray:
    """Frames (C * V * T, H, W, 3), crop by crop, as a recognizer takes them.

    Args:
        frames: The frames.
        shape_VT: Clips and their frames.
        input_format: 'NCTHW' of 3D recognizers, 'NCHW' of 2D ones.
    """
    if input_format == 'NCHW':
        return np.ascontiguousarray(frames.transpose(0, 3, 1, 2))
    views = frames.reshape(-1, shape_VT[1], *frames.shape[1:])
    return np.ascontiguousarray(views.transpose(0, 4, 1, 2, 3))


def with_crops(geometry: Sequence[Mapping[str, Any]], crops: int) -> list[dict[str, Any]]:
    """The geometry with one crop in the middle, or three.

    Raises:
        ValueError: There is no crop to be changed, or another number is asked for.
    """
    if crops not in CROPS:
        raise ValueError(f'crops={crops}: expected one of {list(CROPS)}.')
    steps = [dict(step) for step in geometry]
    found = [step for step in steps if step['type'] in CROPS.values()]
    if not found and crops > 1:
        raise ValueError('This model sees the whole frame: there is no crop to be made three of.')
    for step in found:
        step['type'] = CROPS[crops]
    return steps


def _upstream_sampler(step: Mapping[str, Any]) -> Callable[[int], np.ndarray]:
    require('', 'mmaction', 'torch')
    from ..registry import TRANSFORMS

    sampler = TRANSFORMS.build(dict(step))

    def sample(num_frames: int) -> np.ndarray:
        found = sampler(dict(start_index=0, total_frames=num_frames, modality='RGB'))
        inds: np.ndarray = found['frame_inds'].reshape(-1, found['clip_len'])
        return inds

    return sample


def _pixel_transforms(
    steps: Sequence[Mapping[str, Any]] | None,
) -> Callable[[np.ndarray], np.ndarray]:
    """Steps of MMAction2 that change the pixels of moved frames, none of their places."""
    if not steps:
        return lambda frames_FHW3: frames_FHW3
    require('', 'mmaction', 'torch')
    from mmcv.transforms import Compose

    from ..registry import TRANSFORMS

    run = Compose([TRANSFORMS.build(dict(step)) for step in steps])

    def change(frames_FHW3: np.ndarray) -> np.ndarray:
        size = frames_FHW3.shape[1:3]
        results = run(dict(imgs=list(frames_FHW3), modality='RGB', img_shape=size))
        return np.stack(results['imgs'])

    return change
