# As ek100_rgbflowobj.py, with the sound of the videos in place of detections.
_base_ = '../datasets/ek100_audio.py'

optional = dict(optional=True)
names = ('rgb', 'flow', 'audio')
# `available` restricts a test to some of them.
load = dict(inputs=names, modalities=dict.fromkeys(names, optional), available=None)
every = dict(dataset=dict(pipeline=dict(load=load)))
dropped = dict(load, dropout=dict.fromkeys(names, 0.5))
train_dataloader = dict(dataset=dict(pipeline=dict(load=dropped)))
holdout_dataloader = val_dataloader = test_dataloader = every
