# EPIC-KITCHENS-100 for models of several modalities, of which a clip may lack any but one.
_base_ = '../datasets/ek100.py'

optional = dict(optional=True)
names = ('rgb', 'flow', 'obj')
# `available` restricts a test to some of them.
load = dict(inputs=names, modalities=dict.fromkeys(names, optional), available=None)
every = dict(dataset=dict(pipeline=dict(load=load)))
# The probability that a clip loses a modality, drawn alike for teacher and student.
dropped = dict(load, dropout=dict.fromkeys(names, 0.5))
train_dataloader = dict(dataset=dict(pipeline=dict(load=dropped)))
holdout_dataloader = val_dataloader = test_dataloader = every
