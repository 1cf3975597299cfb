"""Table and plot of views from dumps of several models, and what is refused."""

import csv

import numpy as np
import pytest

from mmdistill.metrics import ScoreTable, save_scores


def table(views, num=24, seed=0):
    rng = np.random.default_rng(seed)
    scores = {t: rng.normal(size=(num, views, k)).astype('f4') for t, k in SIZES.items()}
    labels = {t: np.random.default_rng(9).integers(0, k, num) for t, k in SIZES.items()}
    ids = np.array([f's{i}' for i in range(num)])
    return ScoreTable(ids, ids, scores, labels, {})


SIZES = dict(verb=3, noun=4)


@pytest.fixture
def tool(load_tool):
    return load_tool('analysis/views.py')


@pytest.fixture
def dumps(tmp_path):
    save_scores(tmp_path / 'student.npz', table(6))
    save_scores(tmp_path / 'teacher.npz', table(1, seed=1))
    return [str(tmp_path / 'student.npz'), f'my teacher={tmp_path / "teacher.npz"}']


def test_models_side_by_side(tool, dumps, tmp_path, capsys):
    tool.main([*dumps, '--clips', '2', '--crops', '3', '--out', str(tmp_path / 'out' / 'views')])
    with (tmp_path / 'out' / 'views.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [sum(row['model'] == name for row in rows) for name in ('student', 'my teacher')] == [
        12,
        2,
    ]
    assert {'acc/verb/top1', 'acc/action/top1', 'calibration/noun/ece'} <= rows[0].keys()
    markdown = (tmp_path / 'out' / 'views.md').read_text()
    assert markdown.startswith('| action: clips x crops') and markdown in capsys.readouterr().out
    assert '<svg' in (tmp_path / 'out' / 'views.svg').read_text()


def test_wrong_numbers_other_clips_and_unknown_tasks_are_refused(tool, dumps, tmp_path):
    with pytest.raises(SystemExit, match='not 1 clips x 1 crops'):
        tool.main(dumps)
    with pytest.raises(SystemExit, match='--task is one of'):
        tool.main([dumps[1], '--task', 'adverb'])
    save_scores(tmp_path / 'other.npz', table(1, num=20))
    with pytest.raises(SystemExit, match='the same 24 clips, got 20'):
        tool.main([dumps[1], str(tmp_path / 'other.npz')])
