# The expert of the sensor: MMAction2's Recognizer3D with a backbone of this project.
_base_ = [
    './_base_/kitchen.py',
    'mmdistill::_base_/default_runtime.py',
    'mmdistill::_base_/schedules/adamw_30e.py',
]
model = dict(
    type='Recognizer3D',
    backbone=dict(type='mmdistill.AccelerationEncoder', width=8),
    data_preprocessor=dict(type='ActionDataPreprocessor'),
    cls_head=dict(type='I3DHead', in_channels=8, num_classes=3, average_clips='score'),
)
sensor = dict(dataset=dict(pipeline=dict(load=dict(inputs='acceleration'))))
train_dataloader = sensor
holdout_dataloader = sensor
val_dataloader = sensor
test_dataloader = sensor
train_cfg = dict(max_epochs=1)
