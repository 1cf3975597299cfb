"""Missing and wrong files, one or two rows per tool: what everyone meets first."""

from bad_row import Row, truncate

TRAIN, TEST = 'tools/train.py', 'tools/test.py'

ROWS = [
    Row(TRAIN, 'no such config', 'gone.py', "no config 'gone.py'.*path", as_process=True),
    Row(
        TRAIN,
        'load_from is not there',
        'distill.py --work-dir new --cfg-options load_from=gone.pth',
        'no checkpoint gone.pth .*load_from=None',
    ),
    Row(TEST, 'no such checkpoint', 'expert.py gone.pth', 'no checkpoint gone.pth .*train one'),
    Row(TEST, 'no checkpoint at all', 'expert.py', 'needs a checkpoint', left=['work_dirs/**']),
    Row(TEST, '--out is no .json', 'expert.py expert.pth --out a.txt', 'must end with .json', 2),
    Row(
        'tools/data/check.py',
        'a truncated video',
        'expert.py --workers 0 --out-dir checked',
        'P01_01.mp4 cannot be opened as a video.*fetch it again',
        prepare=lambda here: truncate(here / 'videos/P01_01.mp4'),
        left=['checked/**'],
        listed=True,
    ),
    Row(
        'tools/analysis/rescore.py',
        'no such dump',
        'gone.npz',
        'no dump gone.npz .*write one with `mmdistill test',
        as_process=True,
    ),
]
