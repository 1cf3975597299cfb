# Video Swin-T, as a student on Something-Else.
_base_ = '../_base_/students/sthelse_rgbflowobj.py'
name = 'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb'

model = dict(
    recognizer=dict(
        config=f'mmaction::recognition/swin/{name}.py',
        backbone=dict(pretrained=None, pretrained2d=False),
    )
)
folder = f'https://download.openmmlab.com/mmaction/v1.0/recognition/swin/{name}'
load_from = f'{folder}/{name}_20220930-241016b2.pth'
