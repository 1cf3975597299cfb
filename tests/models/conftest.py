"""A detector small enough for tests, and the answers of a teacher that is not there."""

import copy

import pytest
import torch
from mmdet.registry import MODELS as MMDET_MODELS

from mmdistill.models.teacher_output import TeacherOutput, set_teacher_output

NORM = {'type': 'BN'}
ACT = {'type': 'SiLU', 'inplace': True}
NUM_CLASSES = 4

RTMDET = {
    'type': 'RTMDet',
    'data_preprocessor': {
        'type': 'DetDataPreprocessor',
        'mean': [103.53, 116.28, 123.675],
        'std': [57.375, 57.12, 58.395],
        'bgr_to_rgb': False,
    },
    'backbone': {
        'type': 'CSPNeXt',
        'arch': 'P5',
        'deepen_factor': 0.167,
        'widen_factor': 0.125,
        'norm_cfg': NORM,
        'act_cfg': ACT,
    },
    'neck': {
        'type': 'CSPNeXtPAFPN',
        'in_channels': [32, 64, 128],
        'out_channels': 16,
        'num_csp_blocks': 1,
        'norm_cfg': NORM,
        'act_cfg': ACT,
    },
    'bbox_head': {
        'type': 'RTMDetSepBNHead',
        'num_classes': NUM_CLASSES,
        'in_channels': 16,
        'feat_channels': 16,
        'stacked_convs': 1,
        'anchor_generator': {'type': 'MlvlPointGenerator', 'offset': 0, 'strides': [8, 16, 32]},
        'bbox_coder': {'type': 'DistancePointBBoxCoder'},
        'loss_cls': {'type': 'QualityFocalLoss', 'use_sigmoid': True, 'beta': 2.0},
        'loss_bbox': {'type': 'GIoULoss'},
        'with_objectness': False,
        'exp_on_reg': False,
        'pred_kernel_size': 1,
        'norm_cfg': NORM,
        'act_cfg': ACT,
    },
    'test_cfg': {
        'nms_pre': 300,
        'min_bbox_size': 0,
        'score_thr': 0.01,
        'nms': {'type': 'nms', 'iou_threshold': 0.5},
        'max_per_img': 50,
    },
}
TEST_PIPELINE = [
    {'type': 'LoadImageFromFile'},
    {'type': 'Resize', 'scale': (64, 64), 'keep_ratio': True},
    {'type': 'Pad', 'size': (64, 64), 'pad_val': {'img': (114, 114, 114)}},
    {'type': 'LoadAnnotations', 'with_bbox': True},
    {'type': 'PackDetInputs'},
]


@pytest.fixture
def detector_config() -> dict:
    """Config of a tiny RTMDet that looks at frames resized to 64 pixels."""
    return {
        'model': copy.deepcopy(RTMDET),
        'test_dataloader': {'dataset': {'pipeline': copy.deepcopy(TEST_PIPELINE)}},
    }


@pytest.fixture(scope='session')
def detector_checkpoint(tmp_path_factory) -> str:
    """Random weights, drawn wide so that scores differ and boxes have a size."""
    generator = torch.Generator().manual_seed(0)
    model = MMDET_MODELS.build({'_scope_': 'mmdet', **copy.deepcopy(RTMDET)})
    for name, parameter in model.named_parameters():
        if parameter.ndim == 4:
            fan_in = parameter[0].numel()
            wide = 2.0 if 'rtm_cls' in name else 1.7
            parameter.data.normal_(std=wide / fan_in**0.5, generator=generator)
        elif 'rtm_reg' in name:
            parameter.data.fill_(0.8)
    path = tmp_path_factory.mktemp('detector') / 'detector.pth'
    meta = {'dataset_meta': {'classes': ('hand', 'cup', 'plate', 'knife')}}
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, path)
    return str(path)


@pytest.fixture
def teach():
    """Put a random teacher answer on the samples of a batch; returns it."""

    def put(batch, classes, features=None):
        samples = batch['data_samples']
        logits = {task: torch.randn(len(samples), k) for task, k in classes.items()}
        experts = {task: x[:, None] for task, x in logits.items()}
        weights = {task: torch.ones(len(x), 1) for task, x in logits.items()}
        output = TeacherOutput(logits, experts, weights, features or {})
        set_teacher_output(samples, output)
        return output

    return put
