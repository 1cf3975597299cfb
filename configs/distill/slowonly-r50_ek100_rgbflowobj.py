# SlowOnly with ResNet-50, 8 frames, as a student on EPIC-KITCHENS-100.
_base_ = '../_base_/students/ek100_rgbflowobj_frames.py'
name = 'slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb'

model = dict(recognizer=dict(config=f'mmaction::recognition/slowonly/{name}.py'))
own = dict(modalities=dict(frames=dict(clip_len=8, input_format='NCTHW')))
loader = dict(dataset=dict(pipeline=dict(load=own)))
train_dataloader = val_dataloader = test_dataloader = loader
folder = f'https://download.openmmlab.com/mmaction/v1.0/recognition/slowonly/{name}'
load_from = f'{folder}/{name}_20220901-2132fc87.pth'
