"""Detection files and sound that cannot be: named with file and video by check.py and by a test."""

from pathlib import Path

import h5py
import numpy as np
from bad_row import Row

CHECK, TEST = 'tools/data/check.py', 'tools/test.py'
LOADERS = ('train', 'holdout', 'val', 'test')
INPUTS = ' '.join(f'{name}_dataloader.dataset.pipeline.load.inputs={{}}' for name in LOADERS)
LOOK = f'expert.py --workers 0 --sheet-clips 0 --out-dir new --cfg-options {INPUTS}'
READ = 'expert.py expert.pth --work-dir new --cfg-options {}'
MODALITY = 'test_dataloader.dataset.pipeline.load.modalities'
VIDEO = 'P01_01'


def values(name: str, value, where=...):
    """Write into an array of the first video of detections.h5, past the writer."""

    def prepare(here: Path) -> None:
        with h5py.File(here / 'detections.h5', 'r+') as file:
            if where is ...:
                del file[f'{VIDEO}/{name}']
                file[f'{VIDEO}/{name}'] = value
            else:
                file[f'{VIDEO}/{name}'][where] = value

    return prepare


def attribute(name: str, value, group: str = '/'):
    """Write an attribute of detections.h5, of a video or of the file."""

    def prepare(here: Path) -> None:
        with h5py.File(here / 'detections.h5', 'r+') as file:
            file[group].attrs[name] = value

    return prepare


FAULTS = [
    ('a score that is NaN', '1 of 12 boxes have a score', values('scores', np.nan, 3)),
    ('a score above 1', '1 of 12 boxes have a score', values('scores', 7, 3)),
    ('a score below 0', '2 of 12 boxes have a score', values('scores', -1, slice(2, 4))),
    ('a coordinate that is NaN', '1 of 12 boxes .* NaN or inf', values('boxes', np.nan, (3, 1))),
    ('an infinite coordinate', '1 of 12 boxes .* NaN or infinite', values('boxes', np.inf, (3, 2))),
    ('a box without width', '1 of 12 boxes have no width', values('boxes', 8, (3, 2))),
    ('an inverted box', '1 of 12 boxes have no width', values('boxes', [9, 9, 2, 2], 3)),
    ('a label beyond the classes', 'label 5, but the file names 2', values('labels', 5, 3)),
    ('offsets that fall', 'offsets must .*not fall', values('offsets', 0, 5)),
    ('offsets that leave the file', 'end at the 12 boxes', values('offsets', 99, -1)),
    ('too few offsets', 'offsets must be one more', values('offsets', np.arange(3))),
    ('frames that fall', 'frames must be 0 or more and incr', values('frames', 0, 5)),
    ('frames that are NaN', 'frames must .*float64', values('frames', np.full(12, np.nan))),
    ('frames of two axes', 'frames must .*shape', values('frames', np.zeros((12, 1), int))),
    ('boxes of five columns', 'boxes of 12 boxes must be', values('boxes', np.ones((12, 5)))),
    ('scores that are complex', 'scores of 12', values('scores', np.ones(12, complex))),
    ('fewer labels', 'labels of 12 boxes', values('labels', np.zeros(4, int))),
    ('a width of 0', 'width must be a whole number >= 1, got 0', attribute('width', 0, VIDEO)),
    ('a height of NaN', 'height must be a whole', attribute('height', np.nan, VIDEO)),
    ('a stride of 0', 'stride must be a whole number >= 1', attribute('stride', 0, VIDEO)),
    ('classes that are no JSON', "'classes' is no JSON", attribute('classes', '["hand"')),
    ('classes nested deeply', "'classes' is no JSON", attribute('classes', '[' * 20_000)),
    ('another version', 'expected format .* version 1', attribute('version', 99)),
]
# Numbers of a config that a test would build with.
NUMBERS = [
    ('obj.max_boxes=0', 'max_boxes must be a whole number >= 1, got 0'),
    ('obj.min_score=2', 'min_score must be a number from 0 to 1, got 2'),
    ('rgb.clip_len=0', 'clip_len must be a whole number >= 1, got 0'),
    ('rgb.num_threads=-1', 'num_threads must be a whole number >= 0, got -1'),
    ('audio.sample_rate=0', 'sample_rate must be a whole number from 1000 to 192000, got 0'),
    ('audio.segment_seconds=0', 'segment_seconds must be a finite number > 0, got 0'),
]

ROWS = [
    *(
        Row(
            CHECK,
            what,
            LOOK.format(*['obj'] * len(LOADERS)),
            f'PROBLEM .*({VIDEO}.*)?{sentence}',
            prepare=prepare,
            left=['new/**'],
            listed=True,
        )
        for what, sentence, prepare in FAULTS
    ),
    *(
        Row(
            TEST,
            f'{setting}',
            READ.format(
                f'test_dataloader.dataset.pipeline.load.inputs={setting.split(".")[0]} '
                f'{MODALITY}.{setting}'
            ),
            sentence,
            left=['new/**'],
        )
        for setting, sentence in NUMBERS
    ),
]
