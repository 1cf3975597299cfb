# EPIC-KITCHENS-100: all modalities of a clip, read at the same frames under one geometry.
# `inputs` says which are loaded: one key for a unimodal recognizer, several for distillation.
data_root = 'data/EPIC-KITCHENS-100/'

# A clip that runs past the segment holds its last frame: looped motion would turn around.
sample = dict(
    type='SampleFrames',
    clip_len=32,
    frame_interval=2,
    num_clips=1,
    out_of_bound_opt='repeat_last',
)
modalities = dict(
    rgb=dict(type='mmdistill.RGBModality'),
    flow=dict(type='mmdistill.FlowModality', channels=3),
    obj=dict(type='mmdistill.DetectionModality', max_boxes=10, min_score=0.3),
)
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
            flip=dict(type='Flip', flip_ratio=0.5),
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
    type='mmdistill.EpicKitchensDataset',
    data_root=data_root,
    media=dict(
        rgb='{participant_id}/videos/{video_id}.MP4',
        flow='{participant_id}/flow_frames/{video_id}',
        obj='detections.h5',
    ),
    verb_classes='annotations/EPIC_100_verb_classes.csv',
    noun_classes='annotations/EPIC_100_noun_classes.csv',
    tail_verbs='annotations/EPIC_100_tail_verbs.csv',
    tail_nouns='annotations/EPIC_100_tail_nouns.csv',
    unseen_participants='annotations/EPIC_100_unseen_participant_ids_validation.csv',
    video_info='annotations/EPIC_100_video_info.csv',
    holdout=dict(ratio=0.1, seed=0),
    labelled=True,  # False for the challenge's test clips
)
train_dataset = dict(
    dataset, ann_file='annotations/EPIC_100_train.csv', split='train', pipeline=train_pipeline
)
holdout_dataset = dict(
    dataset,
    ann_file='annotations/EPIC_100_train.csv',
    split='holdout',
    pipeline=test_pipeline,
    test_mode=True,
)
test_dataset = dict(
    dataset,
    ann_file='annotations/EPIC_100_validation.csv',
    pipeline=test_pipeline,
    test_mode=True,
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
