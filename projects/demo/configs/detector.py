# A narrow RTMDet (0.6 M parameters) for one CPU core, on the demo frames at their own size. Objects
# are 15 to 35 pixels wide: the level of stride 32 is left out, and the network wider for it.
_base_ = './_base_/rtmdet.py'

max_epochs = 16
model = dict(
    backbone=dict(
        widen_factor=0.25,
        # in, out channels (before widening), blocks (before deepening), identity, SPP
        arch_ovewrite=[
            [64, 128, 3, True, False],
            [128, 256, 6, True, False],
            [256, 512, 6, False, True],
        ],
        out_indices=(2, 3),
    ),
    neck=dict(in_channels=[64, 128], out_channels=64),
    bbox_head=dict(
        in_channels=64,
        feat_channels=64,
        stacked_convs=1,
        anchor_generator=dict(strides=[8, 16]),
    ),
)

resize = dict(type='Resize', scale=(128, 96), keep_ratio=True)
train_pipeline = _base_.train_pipeline
train_pipeline[2] = resize
test_pipeline = _base_.test_pipeline
test_pipeline[2] = resize
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=max_epochs, val_interval=4)
param_scheduler = _base_.param_scheduler
param_scheduler[1]['T_max'] = max_epochs
default_hooks = dict(checkpoint=dict(interval=4))
