# Video Swin-T with a classifier each for the verbs and nouns of EPIC-KITCHENS-100.
_base_ = 'mmaction::_base_/models/swin_tiny.py'

head = dict(type='I3DHead', in_channels=768, spatial_type='avg', dropout_ratio=0.5)
model = dict(
    # The weights come from `load_from`, not from an image network.
    backbone=dict(pretrained=None, pretrained2d=False),
    cls_head=dict(
        _delete_=True,
        type='mmdistill.MultitaskHead',
        heads=dict(verb=dict(head, num_classes=97), noun=dict(head, num_classes=300)),
    ),
)
