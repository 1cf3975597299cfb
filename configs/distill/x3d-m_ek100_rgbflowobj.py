# X3D-M, 16 frames, as a student on EPIC-KITCHENS-100.
_base_ = '../_base_/students/ek100_rgbflowobj_frames.py'
name = 'x3d_m_16x5x1_facebook-kinetics400-rgb'

model = dict(recognizer=dict(config=f'mmaction::recognition/x3d/{name}.py'))
own = dict(modalities=dict(frames=dict(clip_len=16, input_format='NCTHW')))
loader = dict(dataset=dict(pipeline=dict(load=own)))
train_dataloader = val_dataloader = test_dataloader = loader
folder = 'https://download.openmmlab.com/mmaction/v1.0/recognition/x3d/facebook'
load_from = f'{folder}/{name}_20201027-3f42382a.pth'
