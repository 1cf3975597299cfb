"""Every tool that reads dumps refuses what cannot be judged or compared, in one line."""

import re
from dataclasses import replace

import numpy as np
import pytest

from mmdistill.metrics import ScoreTable, save_scores

SIZES = dict(verb=3, noun=4)
# What a tool is given beside a dump that is wrong.
TOOLS = {
    'rescore.py': lambda bad, good, holdout: [bad],
    'views.py': lambda bad, good, holdout: [good, bad],
    'compare.py': lambda bad, good, holdout: [good, bad],
    'temperature_scaling.py': lambda bad, good, holdout: ['--holdout', holdout, '--test', bad],
}
COMPARING = ('views.py', 'compare.py')


def table(prefix='clip', num=12, seed=0) -> ScoreTable:
    rng = np.random.default_rng(seed)
    ids = np.array([f'{prefix}{i}' for i in range(num)])
    groups = np.array([f'video{i // 4}' for i in range(num)])
    scores = {t: rng.normal(size=(num, 1, k)).astype('f4') for t, k in SIZES.items()}
    labels = {t: np.arange(num) % k for t, k in SIZES.items()}
    return ScoreTable(ids, groups, scores, labels, {})


@pytest.fixture
def refused(load_tool, tmp_path, monkeypatch):
    """Give a tool a bad dump, or something else of that name; its one line."""
    monkeypatch.delenv('MMDISTILL_TRACEBACK', raising=False)
    monkeypatch.chdir(tmp_path)
    save_scores('good.npz', table(seed=1))
    save_scores('holdout.npz', table('other', seed=2))

    def run(tool, bad):
        if isinstance(bad, ScoreTable):
            save_scores('bad.npz', bad)
        elif bad is not None:
            (tmp_path / 'bad.npz').write_bytes(bad)
        with pytest.raises(SystemExit) as caught:
            load_tool(f'analysis/{tool}').main(TOOLS[tool]('bad.npz', 'good.npz', 'holdout.npz'))
        message = caught.value.code
        assert message.startswith('error: ') and '\n' not in message
        return message

    return run


def with_scores(value):
    changed = table()
    changed.scores['noun'][5, 0, 2] = value
    return changed


def with_labels(labels_N):
    return replace(table(), labels=dict(table().labels, verb=labels_N))


def first_labelled(label):
    return with_labels(np.array([*[0] * 7, label, *[0] * 4]))


EMPTY = ScoreTable(
    *[np.array([], str)] * 2,
    {t: np.zeros((0, 1, k), 'f4') for t, k in SIZES.items()},
    {t: np.zeros(0, int) for t in SIZES},
    {},
)
BAD = [
    (with_scores(np.nan), 'bad.npz has NaN or infinite noun logits for 1 samples, .* .clip5.'),
    (with_scores(-np.inf), 'bad.npz has NaN or infinite noun logits for 1 samples, .* .clip5.'),
    (first_labelled(3), "bad.npz gives sample 'clip7' the verb label 3, outside the 3 classes"),
    (first_labelled(-1), "bad.npz gives sample 'clip7' the verb label -1, outside"),
    (
        replace(table(), labels=dict(table().labels, noun=np.full(12, 4))),
        "bad.npz gives sample 'clip0' the noun label 4, outside the 4 classes",
    ),
    (with_labels(np.zeros(12)), 'bad.npz has verb labels of float64; expected integers'),
    (with_labels(np.zeros(11, int)), r'bad.npz has verb labels of shape \(11,\)'),
    (EMPTY, 'bad.npz is empty: test on a split that has clips'),
    (replace(table(), labels={}), r'bad.npz has scores for .* and labels for \[\]'),
    (replace(table(), sample_ids=np.array(['a', 'b'] * 6)), "bad.npz has sample 'a' more than"),
    (replace(table(), groups=np.array(['a'])), r'bad.npz has groups of shape \(1,\) for 12 clips'),
    (b'', 'bad.npz is no .npz file, or only the beginning of one: write one'),
    (None, r'There is no dump bad.npz \(.*\): write one with `mmdistill test'),
]


@pytest.mark.parametrize(('bad', 'expected'), BAD, ids=range(len(BAD)))
@pytest.mark.parametrize('tool', TOOLS)
def test_what_cannot_be_judged_is_named(refused, tool, bad, expected):
    message = refused(tool, bad)
    assert re.search(expected, message), message


@pytest.mark.parametrize('tool', TOOLS)
def test_a_damaged_file_is_named(refused, tool, tmp_path):
    save_scores(tmp_path / 'whole.npz', table())
    whole = bytearray((tmp_path / 'whole.npz').read_bytes())
    assert 'only the beginning' in refused(tool, bytes(whole[:-100]))
    whole[300] ^= 255  # in the first array
    assert 'bad.npz cannot be read' in refused(tool, bytes(whole))


def renamed(task, order):
    """The table of a model with its classes in another order."""
    original = table()
    original.scores[task] = original.scores[task][..., order]
    original.labels[task] = np.argsort(order)[original.labels[task]]
    return original


def with_classes(task, number):
    wider = np.zeros((12, 1, number), 'f4')
    return replace(table(), scores=dict(table().scores, **{task: wider}))


INCOMPARABLE = [
    (table('P02_'), 'bad.npz is of another data set than the first dump'),
    (table(num=11), 'bad.npz is of another data set than the first dump'),
    (with_classes('verb', 5), r"bad.npz has the classes .*'verb': 5.*has .*'verb': 3"),
    (renamed('noun', [1, 0, 2, 3]), "on noun: its classes are in another order .*'clip0'"),
    (first_labelled(2), "on verb: .* labelled otherwise .*'clip"),
    (replace(table(), groups=np.array(['a', 'b'] * 6)), 'bad.npz assigns clips to other videos'),
]


@pytest.mark.parametrize(('bad', 'expected'), INCOMPARABLE, ids=range(len(INCOMPARABLE)))
@pytest.mark.parametrize('tool', COMPARING)
def test_other_data_and_other_classes_are_not_compared(refused, tool, bad, expected):
    message = refused(tool, bad)
    assert re.search(expected, message), message


def test_a_temperature_is_of_one_model_and_of_other_clips(refused):
    message = refused('temperature_scaling.py', with_classes('verb', 5))
    assert "'verb': 5" in message and 'give dumps of one model' in message
    message = refused('temperature_scaling.py', table('other'))
    assert "12 clips are in the holdout and in the test, such as 'other0'" in message
