"""A published model sees what it saw in the test of its training, to the bit."""

import numpy as np
import pytest
from mmcv.transforms import Compose

from mmdistill.config_tools import load_config
from mmdistill.datasets.transforms import named_steps
from mmdistill.deploy.clips import ClipReader, with_crops
from mmdistill.deploy.pipeline import clip_of_pipeline
from mmdistill.deploy.sources import ArraySource, VideoSource
from mmdistill.registry import TRANSFORMS

from .conftest import CONFIG, ROOT, pictures

STOCK = [
    dict(type='DecordInit'),
    dict(type='SampleFrames', clip_len=4, frame_interval=2, num_clips=2, test_mode=True),
    dict(type='DecordDecode'),
    dict(type='Resize', scale=(-1, 32)),
    dict(type='CenterCrop', crop_size=32),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]


def of_the_test(pipeline, video, start, stop):
    """What `mmdistill test` would give the model."""
    steps = Compose([TRANSFORMS.build(step) for step in named_steps(pipeline)])
    record = dict(
        sample_id='clip',
        media=dict(rgb=str(video)),
        start_index=start,
        total_frames=stop - start,
        modality='RGB',
    )
    return steps(record)['inputs']


@pytest.mark.parametrize('config', [CONFIG, ROOT / 'configs/distill/tsm-r50_ek100_rgbflowobj.py'])
@pytest.mark.parametrize(('start', 'stop'), [(0, 70), (11, 40), (3, 6)])
def test_it_is_the_pipeline_of_the_test(config, video, start, stop):
    pipeline = load_config(config).test_dataloader.dataset.pipeline
    expected = of_the_test(pipeline, video, start, stop)
    source = VideoSource(video)
    found = ClipReader(clip_of_pipeline(pipeline)).inputs(source.read, start, stop)
    assert found.dtype == np.uint8 and (found == expected.numpy()).all()


def test_a_stock_pipeline_gives_its_clips_and_crops():
    frames = pictures(40)
    clip = clip_of_pipeline(STOCK)
    one = ClipReader(clip).inputs(ArraySource(frames).read, 0, 40)
    assert one.shape == (2, 3, 4, 32, 32)
    assert ClipReader(clip, clips=1).inputs(ArraySource(frames).read, 0, 40).shape[0] == 1
    three = ClipReader(clip, crops=3).inputs(ArraySource(frames).read, 0, 40)
    assert three.shape[0] == 6
    # MMAction2's crops are left, right, middle, each with all its clips.
    np.testing.assert_allclose(three[4:].astype(float), one.astype(float), atol=1)


def test_what_cannot_travel():
    with pytest.raises(ValueError, match='steps that cannot be published'):
        clip_of_pipeline([*STOCK, dict(type='ColorJitter')])
    with pytest.raises(ValueError, match='samples 0 times'):
        clip_of_pipeline(STOCK[2:])
    with pytest.raises(ValueError, match='crops=2'):
        with_crops(clip_of_pipeline(STOCK)['geometry'], 2)
    with pytest.raises(ValueError, match='sees the whole frame'):
        with_crops([dict(type='Resize', scale=(8, 8))], 3)
    with pytest.raises(ValueError, match='segments'):
        ClipReader(clip_of_pipeline([dict(STOCK[1], clip_len=1), *STOCK[3:]]), clips=3)
