"""tools/analysis/compare.py: its files, its table, and errors in one line."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmdistill.metrics import ScoreTable, save_scores

CLASSES = 'id,key\n0,push\n1,lift\n2,touch\n'


@pytest.fixture(scope='module')
def tool(load_tool):
    return load_tool('analysis/compare.py')


@pytest.fixture
def dumps(tmp_path, monkeypatch):
    """Dumps of models that are right about so many of 30 clips."""
    monkeypatch.chdir(tmp_path)
    labels = np.arange(30) % 3
    names, videos = (
        [f'{kind}{i // size}' for i in range(30)] for kind, size in (('c', 1), ('v', 3))
    )
    for name, right in (('rgb', 15), ('student', 24), ('flow', 30)):
        answer = np.where(np.arange(30) < right, labels, (labels + 1) % 3)
        logits = 3 * np.eye(3)[answer][:, None].astype('f4')
        table = ScoreTable(
            np.array(names), np.array(videos), {'action': logits}, {'action': labels}, {}
        )
        save_scores(f'{name}/scores.npz', table)
    Path('classes.csv').write_text(CLASSES)


def test_it_writes_and_shows_the_comparison(tool, dumps, capsys):
    tool.main(
        [
            *('rgb', 'student', '--experts', 'flow', '--classes', 'action=classes.csv'),
            *('--out', 'there', '--resamples', '100'),
        ]
    )
    shown = capsys.readouterr().out
    assert 'student against rgb' in shown and 'McNemar' in shown
    result = json.loads(Path('there/comparison.json').read_text())
    found = result['comparisons'][0]['tasks']['action']
    assert found['differences'][0]['difference'] == pytest.approx(9 / 30)
    assert found['mcnemar'][0]['p_value'] == pytest.approx(2 / 2**9)
    assert found['experts']['flow']['known_of_gained'] == 1.0
    text = Path('there/comparison.md').read_text()
    assert '+30.0' in text and '| lift |' in text


def test_bad_input_is_told_in_a_line(tool, dumps):
    with pytest.raises(SystemExit, match='^error: There is no dump nowhere .*: write one with'):
        tool.main(['rgb', 'nowhere'])
    with pytest.raises(SystemExit, match='2'):
        tool.main(['rgb'])
