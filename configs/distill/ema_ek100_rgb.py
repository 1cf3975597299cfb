# Self-distillation on EPIC-KITCHENS-100: Video Swin-T learns from its own moving average.
_base_ = ['../_base_/students/distilled.py', '../_base_/datasets/ek100.py']
name = 'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb'

# The average knows nothing at first: the labels teach, then it does more and more.
rising = dict(_delete_=True, type='mmdistill.LinearWeight', start=0.0, end=0.9)
falling = dict(_delete_=True, type='mmdistill.LinearWeight', start=1.0, end=0.1)
model = dict(
    tasks=dict(verb=97, noun=300),
    recognizer=dict(
        config=f'mmaction::recognition/swin/{name}.py',
        backbone=dict(pretrained=None, pretrained2d=False),
    ),
    losses=dict(soft_target=dict(loss_weight=rising)),
    label_weight=falling,
)
teacher = dict(type='mmdistill.EMATeacher', momentum=0.999)
custom_hooks = [dict(type='mmdistill.DistillationLossHook')]
folder = f'https://download.openmmlab.com/mmaction/v1.0/recognition/swin/{name}'
load_from = f'{folder}/{name}_20220930-241016b2.pth'
