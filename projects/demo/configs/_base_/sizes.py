# What the demo changes of the EPIC-KITCHENS-100 configs: sizes, and a schedule for small networks
# that start from random weights.
demo_clip = dict(clip_len=8, frame_interval=2)
demo_holdout = dict(_delete_=True, column='split')
demo_train = dict(
    batch_size=16,
    num_workers=1,
    dataset=dict(
        data_root='data/demo/',
        holdout=demo_holdout,
        pipeline=dict(
            sample=demo_clip,
            load=dict(
                modalities=dict(obj=dict(max_boxes=6)),
                geometry=dict(
                    shorter_side=dict(scale=(-1, 96)),
                    crop=dict(area_range=(0.6, 1.0)),
                    resize=dict(scale=(64, 48)),
                ),
            ),
        ),
    ),
)
# A student learns of unlabelled clips, too: the teacher has predicted them.
demo_all = dict(
    demo_train,
    dataset=dict(
        demo_train['dataset'], ann_file='annotations/EPIC_100_train_all.csv', labelled='some'
    ),
)
# The whole frame: a square crop would cut off the hand.
demo_test = dict(
    batch_size=16,
    num_workers=1,
    dataset=dict(
        data_root='data/demo/',
        holdout=demo_holdout,
        pipeline=dict(
            sample=demo_clip,
            load=dict(
                modalities=dict(obj=dict(max_boxes=6)),
                geometry=dict(
                    _delete_=True, resize=dict(type='Resize', scale=(64, 48), keep_ratio=False)
                ),
            ),
        ),
    ),
)
# A 3D ResNet-18 with a quarter of the channels learns from a thousand clips without pretraining.
demo_head = dict(type='I3DHead', in_channels=128, spatial_type='avg', dropout_ratio=0.0)
demo_heads = dict(verb=dict(demo_head, num_classes=8), noun=dict(demo_head, num_classes=8))
demo_recognizer = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet3d',
        depth=18,
        pretrained=None,
        pretrained2d=False,
        base_channels=16,
        conv1_kernel=(3, 5, 5),
        conv1_stride_t=1,
        pool1_stride_t=2,
        temporal_strides=(1, 1, 1, 2),
        norm_eval=False,
        zero_init_residual=True,
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW',
    ),
    cls_head=dict(type='mmdistill.MultitaskHead', heads=demo_heads),
)
# Baseline and student see as many clips: 120 epochs of 240, and 40 epochs of 720.
demo_epochs = 120
demo_student_epochs = 40
demo_train_cfg = dict(max_epochs=demo_epochs, val_interval=1000)  # validates once, at the end
demo_optimizer = dict(optimizer=dict(lr=2e-3, weight_decay=0.02))
demo_flow_epochs = 30
# The detection expert is 40 times cheaper and learns slowly: it gets more epochs.
demo_obj_epochs = 100
warm_up = dict(
    type='LinearLR', start_factor=0.01, by_epoch=True, begin=0, end=2, convert_to_iter_based=True
)
cosine = dict(
    type='CosineAnnealingLR', by_epoch=True, begin=2, eta_min=0, convert_to_iter_based=True
)
demo_schedule = [warm_up, dict(cosine, end=demo_epochs, T_max=demo_epochs - 2)]
demo_student_schedule = [
    warm_up,
    dict(cosine, end=demo_student_epochs, T_max=demo_student_epochs - 2),
]
demo_flow_schedule = [warm_up, dict(cosine, end=demo_flow_epochs, T_max=demo_flow_epochs - 2)]
demo_obj_schedule = [warm_up, dict(cosine, end=demo_obj_epochs, T_max=demo_obj_epochs - 2)]
