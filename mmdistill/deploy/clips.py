"""What a published model sees of a video: the test pipeline of its training, on frames at hand.

Shape legend: F = frames that are read, V = temporal clips x crops.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..datasets.transforms import LoadModalities, named_steps
from ..modalities.rgb import RGBModality
from ..registry import TRANSFORMS

# Steps of MMAction2's own pipelines: what is sampled, and what only reads or packs.
SAMPLERS = ('SampleFrames', 'UniformSample', 'UniformSampleFrames', 'DenseSampleFrames')
READERS = (
    *('DecordInit', 'DecordDecode', 'OpenCVInit', 'OpenCVDecode', 'PyAVInit', 'PyAVDecode'),
    *('VideoInit', 'VideoDecode', 'RawFrameDecode', 'PackActionInputs'),
)
GEOMETRY = ('Resize', 'CenterCrop', 'ThreeCrop', 'RandomResizedCrop', 'Flip')
CROPS = {1: 'CenterCrop', 3: 'ThreeCrop'}
ReadFrames = Callable[[np.ndarray], np.ndarray]


class GivenFrames(RGBModality):
    """RGB frames from whoever has them, in place of a file."""

    def found(self, record: dict[str, Any]) -> bool:
        """They always are."""
        return True

    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Frames (F, H, W, 3) uint8, by the record's `read_frames`."""
        frames: np.ndarray = record['read_frames'](frame_inds_F)
        return frames


class ClipReader:
    """Sample, crop and pack what a recognizer sees of a span of frames.

    Args:
        clip: As `clip_of_pipeline` gives it.
        clips: Temporal clips per span; None: as in the tests of the training.
        crops: 1 or 3 spatial crops; None likewise.

    Raises:
        ValueError: This pipeline has no such clips or crops.
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
        self.sample = TRANSFORMS.build(own['sample'])
        rgb = dict(own['modality'], type=GivenFrames)
        self.load = LoadModalities(dict(rgb=rgb), 'rgb', own['geometry'])

    def inputs(self, read_frames: ReadFrames, start: int, stop: int, name: str = '') -> Tensor:
        """The uint8 tensor that the data preprocessor takes, views first.

        Args:
            read_frames: From 0-based numbers (F,), repeated ones too, to frames (F, H, W, 3).
            start: First frame of the span.
            stop: The frame behind its last one.
            name: Of the video, for errors.
        """
        record = dict(
            sample_id=name,
            read_frames=read_frames,
            start_index=start,
            total_frames=stop - start,
            modality='RGB',
        )
        packed = self.load(self.sample(record))['rgb']
        return torch.from_numpy(np.ascontiguousarray(packed))


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


def frames_per_view(clip: Mapping[str, Any]) -> int:
    """Frames that a recognizer sees at once; of a 2D one its segments."""
    sample = clip['sample']
    sampled: int = (
        sample.get('num_clips', 1) if sample.get('clip_len', 1) == 1 else sample['clip_len']
    )
    return clip['modality'].get('clip_len') or sampled


def clip_of_pipeline(pipeline: Any) -> dict[str, Any]:
    """What of a test pipeline has to travel with a model.

    Args:
        pipeline: Of mmdistill (`sample`, `load`, `pack`), or a list of MMAction2's steps.

    Raises:
        ValueError: A step is of another kind.
    """
    steps = [_plain(step) for step in named_steps(pipeline)]
    samplers = [step for step in steps if _name(step) in SAMPLERS]
    loads = [step for step in steps if _name(step) == 'LoadModalities']
    if len(samplers) != 1 or len(loads) > 1:
        raise ValueError(
            f'The test pipeline samples {len(samplers)} times; expected one of {SAMPLERS}.'
        )
    sample = samplers[0] | dict(test_mode=True)
    if not loads:
        return dict(sample=sample, **_of_stock(steps))
    unknown = [_name(s) for s in steps if _name(s) not in (*SAMPLERS, 'LoadModalities')]
    if set(unknown) - {'PackModalities'}:
        raise ValueError(f'The test pipeline has steps that cannot be published: {unknown}.')
    reads = loads[0].get('inputs')
    rgb = loads[0]['modalities'].get(reads) if isinstance(reads, str) else None
    if rgb is None or _name(rgb) != 'RGBModality':
        raise ValueError(f'The model reads {reads!r} at test; only one RGBModality can travel.')
    kept = ('input_format', 'clip_len', 'size', 'transforms')
    return dict(
        sample=sample,
        geometry=named_steps(loads[0].get('geometry', ())),
        modality={key: rgb[key] for key in kept if rgb.get(key) is not None},
    )


def _of_stock(steps: list[dict[str, Any]]) -> dict[str, Any]:
    shapes = [step['input_format'] for step in steps if _name(step) == 'FormatShape']
    geometry = [step for step in steps if _name(step) in GEOMETRY]
    known = (*SAMPLERS, *READERS, *GEOMETRY, 'FormatShape')
    unknown = [_name(step) for step in steps if _name(step) not in known]
    if unknown or len(shapes) != 1:
        raise ValueError(
            f'The test pipeline has steps that cannot be published: {unknown or "no FormatShape"}.'
        )
    return dict(geometry=geometry, modality=dict(input_format=shapes[0]))


def _name(step: Mapping[str, Any]) -> str:
    return str(step['type']).rpartition('.')[2]


def _plain(node: Any) -> Any:
    """Without MMEngine's ConfigDict, and without the scope that it stamps on upstream's parts."""
    if isinstance(node, Mapping):
        return {key: _plain(value) for key, value in node.items() if key != '_scope_'}
    return type(node)(map(_plain, node)) if isinstance(node, (list, tuple)) else node
