"""Dumps are read as groups of seeds, and refused where they cannot be compared."""

from dataclasses import replace

import numpy as np
import pytest

from mmdistill.evaluation.score_groups import load_groups, parse_group
from mmdistill.metrics import save_scores

from .conftest import make_table


@pytest.fixture
def dump(tmp_path):
    """Write a table, changed; returns its path."""

    def write(name, seed=0, **changes):
        path = tmp_path / name / 'scores.npz'
        save_scores(path, replace(make_table(1.0, seed), **changes))
        return str(path)

    return write


def changed(task='verb', clip=3, **values):
    """Fields of a table in which a clip has another logit or label."""
    table = make_table(1.0)
    for kind, value in values.items():
        getattr(table, kind)[task][clip] = value
    return {kind: getattr(table, kind) for kind in values}


def test_seeds_of_a_model_are_a_group_in_the_order_of_the_first_dump(dump):
    table = make_table(1.0, 2)
    order = np.random.default_rng(0).permutation(40)
    shuffled = dict(
        sample_ids=table.sample_ids[order],
        groups=table.groups[order],
        scores={t: x[order] for t, x in table.scores.items()},
        labels={t: x[order] for t, x in table.labels.items()},
        flags={t: x[order] for t, x in table.flags.items()},
    )
    paths = [dump('rgb'), dump('one', 1), dump('two', **shuffled)]
    rgb, student = load_groups([paths[0], f'student={paths[1]},{paths[2]}'])
    assert (rgb.name, student.name, len(student.tables)) == ('rgb', 'student', 2)
    assert (student.tables[1].sample_ids == rgb.tables[0].sample_ids).all()
    expected = make_table(1.0, 2).mean_scores('verb').argmax(1)
    np.testing.assert_array_equal(student.predicted('verb')[1], expected)
    action = student.predicted('action')
    np.testing.assert_array_equal(action // 4, student.predicted('verb'))
    assert student.top('noun')[1].shape == (2, 40)


def test_names_come_from_the_folder_or_from_the_user(dump):
    path = dump('rgb')
    folder = path.rpartition('/')[0]
    assert parse_group(folder) == parse_group(path) == ('rgb', (path,))
    assert parse_group(f'mine={folder},{path}') == ('mine', (path, path))
    with pytest.raises(ValueError, match=r"\['rgb', 'rgb'\]: give each its own name"):
        load_groups([path, path])
    with pytest.raises(FileNotFoundError, match='no dump .*nowhere .*: write one'):
        parse_group(f'{folder}/nowhere')


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_logits_that_are_no_numbers_name_the_sample(dump, value):
    bad = dump('bad', **changed(scores=value))
    with pytest.raises(ValueError, match=r"infinite verb logits for 1 samples.*'P01_3_3'"):
        load_groups([dump('rgb'), bad])


@pytest.mark.parametrize('label', [-1, 3])
def test_labels_out_of_range_name_the_sample(dump, label):
    bad = dump('bad', **changed(labels=label))
    with pytest.raises(
        ValueError, match=rf"sample 'P01_3_3' the verb label {label}, outside the 3"
    ):
        load_groups([bad])


def test_other_clips_videos_and_classes_are_refused(dump):
    table, first = make_table(1.0), dump('rgb')
    other_ids = np.array([f'x{i}' for i in range(40)])
    with pytest.raises(ValueError, match='ids/scores.npz is of another data set than the first'):
        load_groups([first, dump('ids', sample_ids=other_ids)])
    with pytest.raises(ValueError, match='other videos'):
        load_groups([first, dump('videos', groups=other_ids)])
    wider = table.scores | {'noun': np.random.default_rng(0).normal(size=(40, 1, 9))}
    with pytest.raises(ValueError, match="has the classes {'noun': 9, 'verb': 3}"):
        load_groups([first, dump('wider', scores=wider)])
    twice = np.concatenate([table.sample_ids[:1], table.sample_ids[:-1]])
    with pytest.raises(ValueError, match="sample 'P01_0_0' more than once"):
        load_groups([dump('twice', sample_ids=twice)])


def test_another_order_of_classes_is_told_from_other_labels(dump):
    first, renamed = dump('rgb'), make_table(1.0).labels
    renamed['verb'] = (renamed['verb'] + 1) % 3
    with pytest.raises(ValueError, match='classes are in another order than in the first dump'):
        load_groups([first, dump('renamed', labels=renamed)])
    other = (make_table(1.0).labels['verb'][3] + 1) % 3
    with pytest.raises(ValueError, match=r"1 clips are labelled otherwise .*sample 'P01_3_3'"):
        load_groups([first, dump('other', **changed(labels=other))])


def test_empty_and_unlabelled_dumps_are_refused(dump):
    table = make_table(1.0)
    empty = dict(
        sample_ids=table.sample_ids[:0],
        groups=table.groups[:0],
        scores={t: x[:0] for t, x in table.scores.items()},
        labels={t: x[:0] for t, x in table.labels.items()},
        flags={},
    )
    with pytest.raises(ValueError, match='empty/scores.npz is empty: test on a split'):
        load_groups([dump('empty', **empty)])
    with pytest.raises(ValueError, match=r'and labels for \[\]: test on an annotation file'):
        load_groups([dump('unlabelled', labels={})])
    short = {t: x[:-1] for t, x in table.labels.items()}
    with pytest.raises(ValueError, match=r'labels of shape \(39,\) for 40 clips'):
        load_groups([dump('short', labels=short)])
