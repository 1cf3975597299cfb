"""Something-Else: each split with the labels that belong to it.

The test of the real files needs `MMDISTILL_STHELSE_ANNOTATIONS=<folder with labels/>`.
"""

import json
import os
from pathlib import Path

import pytest

from mmdistill.datasets import SomethingElseDataset

# The same two templates have another number in each set of classes.
CLASSES = {
    'compositional/labels.json': {'Moving something up': 1, 'Spinning something': 0},
    'fewshot/base_labels.json': {'Moving something up': 0},
    'fewshot/finetune_labels.json': {'Tearing something': 0, 'Spinning something': 1},
}
LISTS = {
    'compositional/train.json': 'Moving [something] up',
    'fewshot/base_training_set.json': 'Moving [something] up',
    'fewshot/finetune_5shot_training.json': 'Spinning [something]',
}


@pytest.fixture
def root(tmp_path):
    for path in ('compositional', 'fewshot'):
        (tmp_path / path).mkdir()
    for name, classes in CLASSES.items():
        (tmp_path / name).write_text(json.dumps(classes))
    for name, template in LISTS.items():
        entry = dict(id='151201', template=template, placeholders=['bottle'], label='…')
        (tmp_path / name).write_text(json.dumps([entry]))
    (tmp_path / 'frames.csv').write_text('video_id,num_frames,width,height\n151201,23,427,240\n')
    return tmp_path


def dataset(root, ann_file, **kwargs):
    return SomethingElseDataset(
        ann_file, data_root=str(root), frame_counts='frames.csv', media={}, **kwargs
    )


@pytest.mark.parametrize(('ann_file', 'label'), list(zip(LISTS, (1, 0, 1), strict=True)))
def test_every_split_has_its_own_classes(root, ann_file, label):
    record = dataset(root, ann_file).load_record(0)
    assert record['label'] == label
    assert (record['video_id'], record['total_frames']) == ('151201', 23)
    assert (record['width'], record['height']) == (427, 240)


def test_labels_of_another_split_are_an_error(root):
    with pytest.raises(ValueError, match=r"'Spinning something', which is none of the 1 classes"):
        dataset(
            root, 'fewshot/finetune_5shot_training.json', labels='fewshot/base_labels.json'
        ).load_record(0)


def test_labels_that_are_missing(root):
    (root / 'fewshot/base_labels.json').unlink()
    with pytest.raises(FileNotFoundError, match=r'base_labels\.json'):
        dataset(root, 'fewshot/base_training_set.json')


REAL = os.environ.get('MMDISTILL_STHELSE_ANNOTATIONS', '')


@pytest.mark.skipif(not REAL, reason='set MMDISTILL_STHELSE_ANNOTATIONS to a folder of the owners')
def test_the_owners_few_shot_split():
    labels = Path(REAL) / 'labels'
    found = SomethingElseDataset(
        str(labels / 'finetune_10shot_train.json'), labels=str(labels / 'finetune_labels.json')
    )
    assert len(found) == 860 and len(found.metainfo['classes']['action']) == 86
