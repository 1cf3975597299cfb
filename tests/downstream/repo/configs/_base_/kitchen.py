# The data of this project: videos, a CSV per split, and the sensor's files.
custom_imports = dict(imports=['kitchen'])
data_root = 'data'
pipeline = dict(
    sample=dict(type='SampleFrames', clip_len=4, frame_interval=1, num_clips=1),
    load=dict(
        type='mmdistill.LoadModalities',
        inputs='rgb',
        modalities=dict(
            rgb=dict(type='mmdistill.RGBModality'),
            acceleration=dict(type='mmdistill.AccelerationModality'),
        ),
        geometry=dict(resize=dict(type='Resize', scale=(32, 32), keep_ratio=False)),
    ),
    pack=dict(type='mmdistill.PackModalities'),
)
dataset = dict(
    type='mmdistill.MultimodalDataset',
    data_root=data_root,
    media=dict(rgb='videos/{video_id}.mp4', acceleration='acceleration/{video_id}.csv'),
    tasks=dict(action='classes.csv'),
    holdout=dict(ratio=0.3, seed=0),
    pipeline=pipeline,
)
loader = dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
train_dataloader = dict(
    loader,
    sampler=dict(type='mmdistill.EpochSampler', shuffle=True),
    dataset=dict(dataset, ann_file='train.csv', split='train'),
)
holdout_dataloader = dict(loader, dataset=dict(dataset, ann_file='train.csv', split='holdout'))
val_dataloader = holdout_dataloader  # the best checkpoint is chosen on it
test_dataloader = dict(loader, dataset=dict(dataset, ann_file='test.csv', test_mode=True))
val_evaluator = [
    dict(type='mmdistill.TaskAccuracy', scores='logits'),
    dict(type='mmdistill.Calibration', scores='logits'),
]
test_evaluator = val_evaluator
