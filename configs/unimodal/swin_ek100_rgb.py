_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/ek100.py',
    '../_base_/models/swin_tiny_ek100.py',
    '../_base_/schedules/adamw_30e.py',
]

load_from = (
    'https://download.openmmlab.com/mmaction/v1.0/recognition/swin/'
    'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb/'
    'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb_20220930-241016b2.pth'
)
