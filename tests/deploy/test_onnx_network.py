"""The exported graph predicts what PyTorch predicts, in batches of any size."""

import numpy as np
import onnx
import pytest
import torch
from mmengine.registry import init_default_scope

from mmdistill.deploy import PublishedModel, load_model, read_published
from mmdistill.deploy.comparison import compare_on_videos, comparison_lines
from mmdistill.deploy.inferencer import ActionInferencer
from mmdistill.deploy.onnx_export import export_onnx
from mmdistill.deploy.onnx_network import load_onnx
from mmdistill.deploy.torch_network import TorchNetwork, build_network
from mmdistill.registry import MODELS

from .conftest import pictures


@pytest.fixture(scope='module')
def exported(published):
    path = published.with_name('student.onnx')
    described, weights = read_published(published)
    export_onnx(described, build_network(described, weights, published), path)
    return path


def test_it_predicts_the_same(model, exported, video):
    other = load_model(exported)
    assert other.described == model.described
    for views in (1, 3):
        one, same = (m.predict([video, video, video], clips=views)[2] for m in (model, other))
        for task, logits in one.logits.items():
            np.testing.assert_allclose(same.logits[task], logits, atol=1e-5)
    found = compare_on_videos(model, other, [video], rounds=2)
    assert found.largest_difference < 1e-5 and found.agreement == 1
    assert comparison_lines(found)[0].startswith('Largest difference of a logit')


def test_old_runtimes_take_it(exported):
    graph = onnx.load(exported)
    assert graph.ir_version <= 10 and graph.opset_import[0].version <= 20
    frames = graph.graph.input[0]
    assert frames.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert frames.type.tensor_type.shape.dim[0].dim_param == 'views'


def test_a_2d_recognizer_with_segments(tmp_path):
    init_default_scope('mmaction')
    torch.manual_seed(0)
    recognizer = dict(
        type='Recognizer2D',
        backbone=dict(type='MobileNetV2TSM', num_segments=4, shift_div=8, pretrained=None),
        cls_head=dict(
            type='TSMHead', num_segments=4, in_channels=1280, num_classes=5, average_clips='score'
        ),
        data_preprocessor=dict(
            type='ActionDataPreprocessor', mean=[120.0] * 3, std=[60.0] * 3, format_shape='NCHW'
        ),
    )
    clip = dict(
        sample=dict(type='SampleFrames', clip_len=1, frame_interval=1, num_clips=4, test_mode=True),
        geometry=[dict(type='Resize', scale=(32, 32), keep_ratio=False)],
        modality=dict(input_format='NCHW'),
    )
    described = PublishedModel(recognizer, clip, dict(action=list('abcde')), dict(action=1.0))
    network = MODELS.build(recognizer).eval()
    export_onnx(described, network, tmp_path / 'tsm.onnx')
    first = ActionInferencer(described, TorchNetwork(network, 'cpu'))
    second = ActionInferencer(*load_onnx(tmp_path / 'tsm.onnx'))
    arrays = [pictures(20, seed=seed) for seed in range(3)]
    for one, other in zip(first.predict(arrays), second.predict(arrays), strict=True):
        np.testing.assert_allclose(other.logits['action'], one.logits['action'], atol=1e-4)


def test_what_is_no_export_of_ours(exported, tmp_path):
    with pytest.raises(FileNotFoundError, match='There is no model'):
        load_model(tmp_path / 'gone.onnx')
    (tmp_path / 'text.onnx').write_text('no')
    with pytest.raises(ValueError, match='no ONNX file'):
        load_model(tmp_path / 'text.onnx')
    graph = onnx.load(exported)
    del graph.metadata_props[:]
    onnx.save(graph, tmp_path / 'bare.onnx')
    with pytest.raises(ValueError, match='without a description'):
        load_model(tmp_path / 'bare.onnx')
    with pytest.raises(ValueError, match="device='cuda'"):
        load_model(exported, 'cuda')


def test_a_layer_that_cannot_be_exported_is_named(published, tmp_path):
    class Odd(torch.nn.Module):
        def forward(self, x):
            return torch.special.bessel_j0(x)

    described, weights = read_published(published)
    network = build_network(described, weights, published)
    network.backbone = torch.nn.Sequential(network.backbone, Odd())
    with pytest.raises(ValueError, match='cannot be exported to ONNX.*bessel_j0'):
        export_onnx(described, network, tmp_path / 'odd.onnx')
    assert list(tmp_path.iterdir()) == []
