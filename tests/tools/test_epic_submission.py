"""The tool writes what it then finds valid, checks what is there, and says what is wrong."""

import numpy as np
import pytest

from mmdistill.metrics import ScoreTable, save_scores


@pytest.fixture
def scores(tmp_path):
    rng = np.random.default_rng(0)
    logits = {
        task: rng.normal(size=(2, 1, k)).astype(np.float32)
        for task, k in (('verb', 97), ('noun', 300))
    }
    names = np.array(['P01_11_0', 'P01_11_1'])
    save_scores(tmp_path / 'scores.npz', ScoreTable(names, names, logits, {}, {}))
    return tmp_path / 'scores.npz'


def test_write_and_check(scores, load_tool, capsys):
    tool, out = load_tool('analysis/epic_submission.py'), scores.with_name('out.zip')
    csv = scores.with_name('test.csv')
    csv.write_text('narration_id\nP01_11_0\nP01_11_1\n')
    levels = ['--sls-pt', '1', '--sls-tl', '3', '--sls-td', '3']
    tool.main([str(scores), str(out), *levels, '--ann', str(csv)])
    tool.main(['--check', str(out)])
    assert capsys.readouterr().out.count('out.zip: a valid submission of 2 narrations.') == 2
    csv.write_text('narration_id\nP01_11_0\n')
    with pytest.raises(SystemExit, match=r"1 narrations are unknown, such as 'P01_11_1'"):
        tool.main(['--check', str(out), '--ann', str(csv)])


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ([], 'give SCORES.npz and OUT.zip'),
        (['scores.npz'], 'give SCORES.npz and OUT.zip'),
        (['scores.npz', 'out.zip', '--sls-pt', '1'], "'sls_tl', 'sls_td'. are missing"),
    ],
)
def test_incomplete_commands(words, message, load_tool, capsys):
    with pytest.raises(SystemExit):
        load_tool('analysis/epic_submission.py').main(words)
    assert message.split('. ')[0] in capsys.readouterr().err
