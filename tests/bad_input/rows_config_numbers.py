"""Numbers of a config, from the command line: refused before the first iteration."""

from bad_row import Row

TRAIN, CACHE, CHECK = 'tools/train.py', 'tools/cache_teacher.py', 'tools/data/check.py'
SOFT = 'model.losses.soft_target'
SAMPLE = 'train_dataloader.dataset.pipeline.sample'
LOAD = 'train_dataloader.dataset.pipeline.load'
POSITIVE, NOT_NEGATIVE, FRACTION = 'finite number > 0', 'finite number >= 0', 'number from 0 to 1'

SETTINGS = [
    *((f'{SOFT}.loss_weight={x}', f'loss_weight must be a {NOT_NEGATIVE}') for x in ('nan', 'inf')),
    (f'{SOFT}.loss_weight=-1', f'loss_weight must be a {NOT_NEGATIVE}'),
    *((f'{SOFT}.temperature={x}', f'must be a {POSITIVE}, got') for x in ('0', 'nan', 'inf', '-2')),
    ('model.label_weight=nan', f'label_weight must be a {NOT_NEGATIVE}, got nan'),
    ('model.label_weight=-0.5', f'label_weight must be a {NOT_NEGATIVE}, got -0.5'),
    *(
        (f'teacher.weighting.temperature={x}', f'weighting temperature must be a {POSITIVE}')
        for x in ('0', 'nan', 'inf')
    ),
    (f'{SAMPLE}.clip_len=0', 'clip_len of SampleFrames must be a whole number >= 1, got 0'),
    (f'{SAMPLE}.num_clips=-1', 'num_clips of SampleFrames must be a whole number >= 1, got -1'),
    (f'{SAMPLE}.frame_interval=0', 'frame_interval of SampleFrames must be a whole number >= 1'),
    (f'{LOAD}.modalities.rgb.clip_len=0', 'clip_len must be a whole number >= 1, got 0'),
    (f'{LOAD}.geometry.flip.type=Flip {LOAD}.geometry.flip.flip_ratio=2', f'must be a {FRACTION}'),
    ('holdout_dataloader.dataset.holdout.ratio=nan', 'between 0 and 1, got nan'),
    ('val_evaluator.1.num_bins=0', 'num_bins must be a whole number >= 1, got 0'),
    ('val_evaluator.0.num_resamples=-1', 'num_resamples must be a whole number >= 0, got -1'),
    ('train_dataloader.sampler.views=0', 'views must be a whole number >= 1, got 0'),
    ('optim_wrapper.optimizer.lr=nan', 'optimizer.lr must be a finite number, got nan'),
    ('optim_wrapper.optimizer.lr=inf', 'optimizer.lr must be a finite number, got inf'),
    ('train_dataloader.batch_size=0', 'batch_size'),
    ('train_dataloader.num_workers=-1', 'num_workers'),
    ('train_cfg.max_epochs=-1', 'train_cfg.max_epochs must be a whole number >= 1, got -1'),
    ('train_cfg.max_epochs=0', 'train_cfg.max_epochs must be a whole number >= 1, got 0'),
]

ROWS = [
    Row(
        TRAIN,
        setting.replace(SOFT, 'soft_target').replace(SAMPLE, 'sample').replace(LOAD, 'load'),
        f'distill.py --work-dir new --cfg-options {setting}',
        expected,
        left=['new/**'],
    )
    for setting, expected in SETTINGS
] + [
    Row(
        CACHE,
        setting,
        f'distill.py new --cfg-options {setting}',
        expected,
        left=['new/**'],
    )
    for setting, expected in (
        ('teacher.weighting.temperature=nan', f'weighting temperature must be a {POSITIVE}'),
        (f'{SAMPLE}.clip_len=0', 'clip_len of SampleFrames must be a whole number >= 1, got 0'),
    )
]
