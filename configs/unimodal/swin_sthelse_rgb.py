_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/sthelse.py',
    'mmaction::_base_/models/swin_tiny.py',
    '../_base_/schedules/adamw_30e.py',
]

model = dict(
    # The weights come from `load_from`, not from an image network.
    backbone=dict(pretrained=None, pretrained2d=False),
    cls_head=dict(num_classes=174, average_clips='score'),
)
load_from = (
    'https://download.openmmlab.com/mmaction/v1.0/recognition/swin/'
    'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb/'
    'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb_20220930-241016b2.pth'
)
