# RTMDet of a third of tiny's width on frames of half the size: 0.55 M parameters, to be trained and
# run on two CPU cores within the minutes of `make demo`.
_base_ = './rtmdet_tiny_demo.py'

max_epochs = 10
model = dict(
    backbone=dict(deepen_factor=0.167, widen_factor=0.125),
    neck=dict(in_channels=[32, 64, 128], out_channels=32),
    bbox_head=dict(in_channels=32, feat_channels=32),
)

resize = dict(type='Resize', scale=(160, 128), keep_ratio=True)
train_pipeline = _base_.train_pipeline
train_pipeline[2] = resize
test_pipeline = _base_.test_pipeline
test_pipeline[2] = resize
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs // 2)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        T_max=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=max_epochs // 2))
