# Something-Something V2: all modalities of a clip, read at the same frames under one geometry.
# `inputs` says which are loaded: one key for a unimodal recognizer, several for distillation.
data_root = 'data/something-something-v2/'

# The whole video, a frame from each of 16 equal parts.
sample = dict(type='UniformSample', clip_len=16)
modalities = dict(
    rgb=dict(type='mmdistill.RGBModality'),
    flow=dict(type='mmdistill.FlowModality', channels=3),
    obj=dict(type='mmdistill.DetectionModality', max_boxes=10, min_score=0.3),
)
# Never mirrored: left and right make classes of their own.
train_pipeline = dict(
    sample=sample,
    load=dict(
        type='mmdistill.LoadModalities',
        inputs='rgb',
        modalities=modalities,
        geometry=dict(
            shorter_side=dict(type='Resize', scale=(-1, 256)),
            crop=dict(type='RandomResizedCrop'),
            resize=dict(type='Resize', scale=(224, 224), keep_ratio=False),
        ),
    ),
    pack=dict(type='mmdistill.PackModalities'),
)
test_pipeline = dict(
    sample=dict(sample, test_mode=True),
    load=dict(
        type='mmdistill.LoadModalities',
        inputs='rgb',
        modalities=modalities,
        geometry=dict(
            shorter_side=dict(type='Resize', scale=(-1, 256)),
            crop=dict(type='CenterCrop', crop_size=224),
        ),
    ),
    pack=dict(type='mmdistill.PackModalities'),
)

dataset = dict(
    type='mmdistill.SomethingSomethingDataset',
    data_root=data_root,
    labels='labels/labels.json',
    media=dict(rgb='videos/{video_id}.webm', flow='flow/{video_id}', obj='detections.h5'),
    holdout=dict(ratio=0.1, seed=0),
)
train_dataset = dict(dataset, ann_file='labels/train.json', split='train', pipeline=train_pipeline)
holdout_dataset = dict(
    dataset,
    ann_file='labels/train.json',
    split='holdout',
    pipeline=test_pipeline,
    test_mode=True,
)
test_dataset = dict(
    dataset, ann_file='labels/validation.json', pipeline=test_pipeline, test_mode=True
)

loader = dict(batch_size=8, num_workers=8, persistent_workers=True)
in_order = dict(loader, sampler=dict(type='DefaultSampler', shuffle=False))
train_dataloader = dict(
    loader, sampler=dict(type='mmdistill.EpochSampler', shuffle=True), dataset=train_dataset
)
# Clips that nothing is trained on: the teacher's weights are measured on them, and the best
# checkpoint is chosen by them, never by those of the test (`select_on` changes that).
holdout_dataloader = dict(in_order, dataset=holdout_dataset)
val_dataloader = dict(in_order, dataset=holdout_dataset)
test_dataloader = dict(in_order, dataset=test_dataset)

val_evaluator = [
    dict(type='mmdistill.TaskAccuracy', scores='logits'),
    dict(type='mmdistill.Calibration', scores='logits'),
]
test_evaluator = val_evaluator
