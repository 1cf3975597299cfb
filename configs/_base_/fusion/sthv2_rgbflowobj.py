# As ek100_rgbflowobj.py, on Something-Something V2.
_base_ = '../datasets/sthv2.py'

optional = dict(optional=True)
names = ('rgb', 'flow', 'obj')
# `available` restricts a test to some of them.
load = dict(inputs=names, modalities=dict.fromkeys(names, optional), available=None)
every = dict(dataset=dict(pipeline=dict(load=load)))
dropped = dict(load, dropout=dict.fromkeys(names, 0.5))
train_dataloader = dict(dataset=dict(pipeline=dict(load=dropped)))
holdout_dataloader = val_dataloader = test_dataloader = every
