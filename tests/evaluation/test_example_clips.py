"""What models said about a clip; class names; where modalities are read; what cannot be shown."""

import pytest
from mmengine.config import Config

from mmdistill.config_tools import load_config
from mmdistill.evaluation.example_clips import (
    answer,
    class_names,
    clip_sources,
    example_clips,
    outcome_texts,
)

from .conftest import CLASSES, make_table, write_clip, write_report_files


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('clips')
    write_clip(folder / 'drawn')
    write_report_files(folder / 'runs', folder / 'drawn')
    return folder / 'runs'


class Named:
    metainfo = {'classes': CLASSES}


class Unnamed:
    metainfo = {'classes': {'verb': CLASSES['verb'][:1]}}


def test_the_best_answers_come_first_and_the_right_one_is_marked():
    table = make_table(2.0)
    found = answer('Mine', table, CLASSES, 3)
    assert list(found['tasks']) == ['verb', 'noun']
    for task, lines in found['tasks'].items():
        assert len(lines) == len(CLASSES[task])
        shown = [line['probability'] for line in lines]
        assert shown == sorted(shown, reverse=True) and sum(shown) == pytest.approx(1)
        (right,) = [line['text'] for line in lines if line['right']]
        assert right == CLASSES[task][table.labels[task][3]]


def test_classes_without_names_are_numbers():
    table = make_table(1.0)
    assert class_names(Named, table) == CLASSES
    assert class_names(Unnamed, table)['verb'] == ['verb 0', 'verb 1', 'verb 2']


def test_each_modality_is_read_where_the_first_model_reads_it(root):
    cfgs = [load_config(root / f'{name}.py') for name in ('rgb', 'flow', 'everything')]
    sources = clip_sources(cfgs)
    assert [list(source.modalities) for source in sources] == [['rgb'], ['flow'], ['obj']]
    assert sources[0].record('P01_0_0')['video_id'] == 'v1'
    with pytest.raises(ValueError, match="has no clip 'other'.*give the config"):
        sources[0].record('other')
    stock = Config(dict(test_dataloader=dict(dataset=dict(pipeline=[dict(type='DecordInit')]))))
    assert clip_sources([stock]) == []


def test_without_a_baseline_clips_are_right_or_wrong(root):
    sources = clip_sources([load_config(root / 'rgb.py')])
    row = {'name': 'one', 'title': 'One', 'role': 'student'}
    found = example_clips(sources, (row, None), [row], {'one': make_table(1.0)})
    assert [text for text, _ in found['outcomes']] == ['One is right', 'One is wrong']
    assert sum(number for _, number in found['outcomes']) == 40
    assert {clip['outcome'] for clip in found['clips']} == {'One is right', 'One is wrong'}
    assert found['wheel'] is None and found['unseen'] == []
    assert set(outcome_texts('a', 'b')) == {'student', 'both', 'baseline', 'neither'}


def test_a_modality_without_a_picture_is_named(root):
    cfg = load_config(root / 'rgb.py')
    load = cfg.test_dataloader.dataset.pipeline[0]
    load.modalities['audio'] = dict(type='mmdistill.AudioModality', optional=True)
    load.inputs = ('rgb', 'audio')
    row = {'name': 'one', 'title': 'One', 'role': 'student'}
    found = example_clips(clip_sources([cfg]), (row, None), [row], {'one': make_table(1.0)})
    assert found['unseen'] == ['audio']
