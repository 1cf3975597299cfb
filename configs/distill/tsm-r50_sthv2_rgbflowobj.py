# TSM with ResNet-50, 8 frames, as a student on Something-Something V2.
_base_ = '../_base_/students/sthv2_rgbflowobj_frames.py'
name = 'tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb'

model = dict(
    recognizer=dict(
        config=f'mmaction::recognition/tsm/{name}.py',
        backbone=dict(pretrained=None, pretrained2d=False),
    )
)
folder = f'https://download.openmmlab.com/mmaction/v1.0/recognition/tsm/{name}'
load_from = f'{folder}/{name}_20220831-64d69186.pth'
