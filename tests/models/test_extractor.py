"""What a fusion model sees of a recognizer: tokens of every kind of backbone, and its weights."""

import pytest
import torch

from mmdistill.models.extractor import Extractor, build_extractor, pooled
from mmdistill.registry import MODELS


def test_an_extractor_loads_its_recognizer_when_training_starts(recognizer_config, tmp_path):
    trained = MODELS.build(recognizer_config())
    trained.init_weights()
    torch.save(dict(state_dict=trained.state_dict()), tmp_path / 'best_1.pth')
    pattern = str(tmp_path / 'best_*.pth')
    extractor = Extractor('rgb', 2, model=recognizer_config(), checkpoint=pattern, frozen=True)
    extractor.init_weights()
    loaded = extractor.recognizer.backbone.state_dict()
    for key, value in trained.backbone.state_dict().items():
        assert torch.equal(value, loaded[key]), key
    assert extractor.recognizer.cls_head is None
    assert not any('head' in key for key in extractor.state_dict())
    (tmp_path / 'best_1.pth').unlink()
    # Built without: its weights come with those of the fusion model.
    Extractor('rgb', 2, model=recognizer_config(), checkpoint=pattern, frozen=True)
    with pytest.raises(FileNotFoundError, match="no checkpoint of the extractor of 'rgb'"):
        extractor.init_weights()


def two_dimensional():
    return dict(
        type='Recognizer2D',
        backbone=dict(type='ResNet', depth=18, pretrained=None, norm_eval=False),
        cls_head=dict(type='TSNHead', num_classes=4, in_channels=512),
        data_preprocessor=dict(type='ActionDataPreprocessor', format_shape='NCHW'),
    )


def slow_fast():
    pathway = dict(
        type='resnet3d',
        depth=18,
        pretrained=None,
        lateral=False,
        conv1_kernel=(1, 7, 7),
        dilations=(1, 1, 1, 1),
        conv1_stride_t=1,
        pool1_stride_t=1,
        inflate=(0, 0, 1, 1),
        norm_eval=False,
    )
    return dict(
        type='Recognizer3D',
        backbone=dict(
            type='ResNet3dSlowFast',
            pretrained=None,
            resample_rate=4,
            speed_ratio=4,
            channel_ratio=8,
            slow_pathway=dict(pathway, lateral=True, base_channels=32),
            fast_pathway=dict(pathway, base_channels=4, conv1_kernel=(5, 7, 7)),
        ),
        cls_head=dict(type='SlowFastHead', in_channels=192, num_classes=4),
        data_preprocessor=dict(type='ActionDataPreprocessor', format_shape='NCTHW'),
    )


def layouts():
    head = dict(type='I3DHead', in_channels=8, spatial_type=None, num_classes=4)
    return dict(
        type='Recognizer3D',
        backbone=dict(type='mmdistill.DetectionInputs'),
        data_preprocessor=dict(type='ActionDataPreprocessor'),
        cls_head=dict(
            type='mmdistill.DetectionFeatureHead',
            encoder=dict(num_categories=3, embed_dims=8, num_layers=(1, 1), num_heads=2),
            heads=dict(action=head),
        ),
    )


@pytest.mark.parametrize(
    ('config', 'inputs', 'width'),
    [
        (two_dimensional, (2, 6, 3, 32, 32), 512),
        (slow_fast, (2, 1, 3, 16, 32, 32), 288),
        (layouts, (2, 1, 5, 4, 6), 8),
    ],
)
def test_tokens_of_other_backbones(config, inputs, width):
    extractor = Extractor('x', 3, model=config()).eval()
    assert extractor(torch.rand(inputs)).shape == (2, 3, width)


def test_frames_of_2d_backbones_stay_with_their_clip():
    extractor = Extractor('x', 6, model=two_dimensional()).eval()
    frames = torch.rand(2, 6, 3, 32, 32)
    with torch.no_grad():
        tokens = extractor(frames)
        one = extractor.recognizer.backbone(frames[1, 4][None])
    torch.testing.assert_close(tokens[1, 4], one.mean((2, 3))[0], atol=1e-5, rtol=1e-4)


def test_pooling_keeps_the_order_of_time():
    sequence = torch.arange(12.0).reshape(1, 12, 1)
    assert pooled(sequence, 4).flatten().tolist() == [1, 4, 7, 10]
    assert pooled(sequence, 12) is sequence


def test_extractors_have_one_source(recognizer_config):
    with pytest.raises(ValueError, match='needs either a config or a model'):
        Extractor('x', 3)
    with pytest.raises(ValueError, match=r"has the keys \['checkpiont'\]; it takes"):
        build_extractor('rgb', dict(model=recognizer_config(), checkpiont=None), 3)
