# The expert on the demo's data: MMAction2's Recognizer3D with a backbone of the project.
_base_ = ['../../../projects/demo/configs/obj.py', './_base_/hand_pose.py']

train_dataloader = dict(_base_.hand_pose_alone, batch_size=32)
val_dataloader = _base_.hand_pose_alone
test_dataloader = _base_.hand_pose_alone
holdout_dataloader = _base_.hand_pose_alone

head = dict(type='I3DHead', in_channels=64, num_classes=8, dropout_ratio=0.0)
model = dict(
    _delete_=True,
    type='Recognizer3D',
    backbone=dict(
        type='mmdistill.KeypointTransformer',
        num_keypoints=len(_base_.hand_pose_keypoints),
        embed_dims=64,
    ),
    data_preprocessor=dict(type='ActionDataPreprocessor'),
    cls_head=dict(type='mmdistill.MultitaskHead', heads=dict(verb=head, noun=head)),
)
train_cfg = _base_.demo_train_cfg
param_scheduler = _base_.demo_schedule
work_dir = 'work_dirs/demo/hand_pose'
