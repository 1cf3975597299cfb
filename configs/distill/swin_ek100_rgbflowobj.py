_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/ek100.py',
    '../_base_/students/swin_tiny_ek100.py',
    '../_base_/teachers/ek100_rgbflowobj.py',
    '../_base_/schedules/adamw_30e.py',
]

# The student reads RGB; flow and detections are for the teacher alone.
everything = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'flow', 'obj')))))
train_dataloader = everything
holdout_dataloader = everything
load_from = (
    'https://download.openmmlab.com/mmaction/v1.0/recognition/swin/'
    'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb/'
    'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb_20220930-241016b2.pth'
)
