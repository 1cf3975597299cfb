# A small student of RGB, taught by the sensor's expert and by itself as it began.
_base_ = [
    './_base_/kitchen.py',
    'mmdistill::_base_/students/distilled.py',
    'mmdistill::_base_/teachers/weighted.py',
]
recognizer = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet3d',
        depth=18,
        pretrained=None,
        pretrained2d=False,
        base_channels=4,
        conv1_kernel=(1, 3, 3),
        conv1_stride_t=1,
        pool1_stride_t=1,
        temporal_strides=(1, 1, 1, 1),
        norm_eval=False,
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor', mean=[128.0] * 3, std=[64.0] * 3, format_shape='NCTHW'
    ),
    cls_head=dict(type='I3DHead', in_channels=32, num_classes=3, average_clips='score'),
)
model = dict(
    recognizer=recognizer,
    losses=dict(cosine=dict(type='mmdistill.CosineLoss', loss_weight=0.5)),
)
teacher = dict(
    experts=dict(
        rgb=dict(model=recognizer, checkpoint=None),
        acceleration=dict(config='acceleration.py', checkpoint='work_dirs/acceleration/best_*.pth'),
    )
)
everything = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'acceleration')))))
train_dataloader = everything
holdout_dataloader = everything
train_cfg = dict(max_epochs=1)
