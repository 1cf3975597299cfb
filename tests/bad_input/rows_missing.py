"""Missing modalities: what stops a test of subsets and their comparison."""

from bad_row import Row

MISSING = 'tools/analysis/missing_modalities.py'

ROWS = [
    Row(MISSING, 'no checkpoint', 'test expert.py gone.pth --out m', 'no checkpoint gone.pth'),
    Row(
        MISSING,
        'a model of one modality',
        'test expert.py expert.pth --out m',
        'which reads one modality: subsets are for',
        left=['m/**'],
    ),
    Row(MISSING, 'no dumps', 'compare a=gone b=gone --out t', 'gone holds no dumps of subsets'),
    Row(MISSING, 'neither test nor compare', 'list', 'invalid choice', 2),
    Row(
        'tools/test.py',
        'no such modality is available',
        'expert.py expert.pth --cfg-options test_dataloader.dataset.pipeline.load.available=depth',
        r"available=\['depth'\], but the configured modalities are",
        left=['work_dirs/**'],
    ),
    Row(
        'tools/train.py',
        'every modality is always dropped',
        'expert.py --work-dir new --cfg-options '
        'train_dataloader.dataset.pipeline.load.dropout.rgb=1.0',
        r"drops all of \['rgb'\] from every clip",
        left=['new/**'],
    ),
]
