"""The crops of a test are those that MMAction2 draws, for frames of any shape."""

import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.registry import init_default_scope

from mmdistill.deploy.geometry_steps import drawn_geometry
from mmdistill.geometry import ClipGeometry
from mmdistill.registry import TRANSFORMS

SHAPES = [(256, 456), (1080, 1920), (1920, 1080), (96, 128), (240, 320), (33, 77), (224, 224)]
CHAINS = [
    [],
    [dict(type='Resize', scale=(-1, 256)), dict(type='CenterCrop', crop_size=224)],
    [dict(type='Resize', scale=(-1, 224)), dict(type='ThreeCrop', crop_size=224)],
    [dict(type='Resize', scale=(80, 64), keep_ratio=False)],
    [dict(type='Resize', scale=(340, 256)), dict(type='CenterCrop', crop_size=(100, 90))],
    [dict(type='Resize', scale=0.5), dict(type='CenterCrop', crop_size=16)],
    [dict(type='CenterCrop', crop_size=32), dict(type='Resize', scale=(20, 20), keep_ratio=False)],
]


def of_mmaction(steps, shape):
    blank = dict(
        imgs=[np.zeros((*shape, 3), np.uint8)],
        img_shape=shape,
        original_shape=shape,
        modality='RGB',
    )
    return ClipGeometry.from_results(Compose([TRANSFORMS.build(step) for step in steps])(blank))


@pytest.mark.parametrize('steps', CHAINS, ids=lambda s: '+'.join(x['type'] for x in s) or 'none')
@pytest.mark.parametrize('shape', SHAPES)
def test_it_is_the_geometry_of_the_test(steps, shape):
    init_default_scope('mmaction')
    found, expected = drawn_geometry(steps, shape), of_mmaction(steps, shape)
    assert found.size == expected.size and not found.flip
    assert (found.crops_C4 == expected.crops_C4).all()


def test_what_does_not_fit():
    with pytest.raises(ValueError, match='a.mp4: ThreeCrop of 64 x 64 pixels .* got 80 x 70'):
        drawn_geometry([dict(type='ThreeCrop', crop_size=64)], (70, 80), 'a.mp4')
    with pytest.raises(ValueError, match='the model has the step Flip; expected'):
        drawn_geometry([dict(type='Flip')], (70, 80))
