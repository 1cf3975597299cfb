"""The frames that a test samples are those of MMAction2, for videos of any length."""

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmdistill.registry import TRANSFORMS
from mmdistill.sampling import sampler_of

LENGTHS = (1, 2, 3, 7, 8, 15, 16, 17, 31, 64, 100, 1001)
STEPS = [
    dict(type='SampleFrames', clip_len=8, frame_interval=2, num_clips=1),
    dict(type='SampleFrames', clip_len=8, frame_interval=2, num_clips=5),
    dict(type='SampleFrames', clip_len=32, frame_interval=2, num_clips=10, twice_sample=True),
    dict(type='SampleFrames', clip_len=4, frame_interval=8, out_of_bound_opt='repeat_last'),
    dict(type='SampleFrames', clip_len=1, frame_interval=1, num_clips=8),
    dict(type='SampleFrames', clip_len=1, num_clips=8, twice_sample=True, keep_tail_frames=True),
    dict(type='mmaction.UniformSample', clip_len=16, num_clips=1),
    dict(type='UniformSample', clip_len=8, num_clips=3),
]


def of_mmaction(step, num_frames):
    results = dict(total_frames=num_frames, start_index=0, modality='RGB')
    return TRANSFORMS.build(dict(step, test_mode=True))(results)['frame_inds']


@pytest.mark.parametrize('step', STEPS, ids=lambda step: f'{step["type"]} {len(step)}')
def test_it_is_the_sampling_of_the_test(step):
    init_default_scope('mmaction')
    for length in LENGTHS:
        found = sampler_of(dict(step, test_mode=True))(length)
        assert found.shape[1] == step['clip_len'] and found.dtype == np.int32
        assert found.ravel().tolist() == of_mmaction(step, length).tolist(), length


@pytest.mark.parametrize(
    'step',
    [
        dict(type='DenseSampleFrames', clip_len=8),
        dict(type='UniformSampleFrames', clip_len=8),
        dict(type='SampleFrames', clip_len=8, target_fps=30),
        dict(type='SampleFrames', clip_len=8, temporal_jitter=True),
    ],
)
def test_what_only_mmaction_samples(step):
    assert sampler_of(step) is None
