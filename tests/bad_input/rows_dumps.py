"""Dumps and metrics that the tools of tools/analysis cannot judge."""

from pathlib import Path

import numpy as np
from bad_row import Row, truncate

RESCORE, COMPARE = 'tools/analysis/rescore.py', 'tools/analysis/compare.py'
VIEWS, SCALING = 'tools/analysis/views.py', 'tools/analysis/temperature_scaling.py'
SUBMISSION = 'tools/analysis/epic_submission.py'
COST, SIZE = (f'tools/analysis/{x}.py' for x in ('cost', 'cache_size'))


def spoil(**changes):
    """Replace arrays of scores.npz; a function is given what is there."""

    def prepare(here: Path) -> None:
        with np.load(here / 'scores.npz') as file:
            arrays = dict(file)
        for key, value in changes.items():
            key = key.replace('__', '/')
            arrays[key] = value(arrays[key]) if callable(value) else value
        np.savez(here / 'scores.npz', **{k: v for k, v in arrays.items() if v is not None})

    return prepare


def value_at(place, value):
    def change(array):
        array[place] = value
        return array

    return change


def as_text(array):
    return array.astype(str)


def bad_dump(what: str, expected: str, prepare) -> list[Row]:
    """The same bad dump for every tool that reads one."""
    given = {
        RESCORE: 'scores.npz',
        COMPARE: 'other.npz scores.npz --resamples 10',
        VIEWS: 'other.npz scores.npz',
        SCALING: '--holdout holdout.npz --test scores.npz --resamples 10',
    }
    return [Row(tool, what, words, expected, prepare=prepare) for tool, words in given.items()]


LOGITS, LABELS = 'logits__action', 'labels__action'
DUMPS = [
    *bad_dump(
        'NaN logits', 'scores.npz has NaN or infinite', spoil(**{LOGITS: value_at(0, np.nan)})
    ),
    *bad_dump(
        'infinite logits',
        'scores.npz has NaN or infin',
        spoil(**{LOGITS: value_at((5, 0), np.inf)}),
    ),
    *bad_dump(
        'complex logits', 'scores.npz .*complex', spoil(**{LOGITS: lambda x: x.astype(complex)})
    ),
    *bad_dump(
        'logits as text', 'scores.npz .*logits of <U', spoil(**{LOGITS: lambda x: x.astype(str)})
    ),
    *bad_dump(
        'logits of two axes', r'scores.npz .*\(12, 3\)', spoil(**{LOGITS: lambda x: x[:, 0]})
    ),
    *bad_dump('a label too large', 'scores.npz gives sample', spoil(**{LABELS: value_at(3, 9)})),
    *bad_dump('a label below 0', 'scores.npz gives sample', spoil(**{LABELS: value_at(3, -1)})),
    *bad_dump(
        'labels as floats', 'scores.npz has action labels of f', spoil(**{LABELS: np.zeros(12)})
    ),
    *bad_dump('fewer labels', r'scores.npz has .*\(11,\)', spoil(**{LABELS: lambda x: x[:11]})),
    *bad_dump(
        'a clip twice', 'scores.npz has sample .* more than', spoil(sample_ids=value_at(1, 'clip0'))
    ),
    *bad_dump('no ids', 'scores.npz .*sample_ids', spoil(sample_ids=None)),
    *bad_dump('groups of another length', 'scores.npz has groups', spoil(groups=lambda x: x[:3])),
    *bad_dump(
        'truncated',
        'is no .npz file, or only',
        lambda here: truncate(here / 'scores.npz'),
    ),
    *bad_dump('empty', 'scores.npz is no .npz', lambda here: truncate(here / 'scores.npz', 0)),
    *bad_dump(
        'text', 'scores.npz is no .npz', lambda here: (here / 'scores.npz').write_text('a,b\n')
    ),
    *bad_dump('absent', 'no dump scores.npz', lambda here: (here / 'scores.npz').unlink()),
]
VALUES = [
    Row(
        RESCORE, '--temperatures absent', 'scores.npz --temperatures t.json', 'no file of .*t.json'
    ),
    Row(
        RESCORE,
        '--temperatures of no .json',
        'scores.npz --temperatures metrics.json',
        'metrics.json holds no temperatures',
    ),
    Row(
        RESCORE,
        '--temperatures 0',
        'scores.npz --temperatures t.json',
        'positive number',
        prepare=lambda here: (here / 't.json').write_text('{"temperatures": {"action": 0}}'),
    ),
    Row(
        RESCORE,
        '--temperatures of another task',
        'scores.npz --temperatures t.json',
        'temperatures are those of',
        prepare=lambda here: (here / 't.json').write_text('{"temperatures": {"verb": 1}}'),
    ),
    Row(
        RESCORE,
        '--temperatures as text',
        'scores.npz --temperatures t.json',
        'positive number.*hot',
        prepare=lambda here: (here / 't.json').write_text('{"temperatures": {"action": "hot"}}'),
    ),
    Row(
        RESCORE,
        '--temperatures truncated',
        'scores.npz --temperatures t.json',
        't.json is no JSON file|t.json is not JSON',
        prepare=lambda here: (here / 't.json').write_text('{"temperatures": {"action"'),
    ),
    Row(
        RESCORE,
        '--temperatures nested too deep',
        'scores.npz --temperatures t.json',
        't.json is no JSON file|t.json is not JSON',
        prepare=lambda here: (here / 't.json').write_text('[' * 1_000_000),
    ),
    Row(COMPARE, 'a single run', 'scores.npz', 'at least two runs', 2),
    Row(
        COMPARE, 'another data set', 'scores.npz holdout.npz', 'holdout.npz is of another data set'
    ),
    Row(COMPARE, 'the same name twice', 'scores.npz scores.npz --resamples 9', 'give each its own'),
    Row(
        COMPARE,
        'no class file',
        'scores.npz other.npz --resamples 9 --classes action=gone.csv',
        "no annotation file 'gone.csv'",
    ),
    Row(
        VIEWS,
        '--clips of another test',
        'scores.npz --clips 2',
        r'holds \[3\] views of a clip, not 2 clips',
        prepare=spoil(**{LOGITS: lambda x: x.repeat(3, axis=1)}),
    ),
    Row(VIEWS, '--crops 2', 'scores.npz --crops 2', 'invalid choice', 2),
    Row(VIEWS, '--task unknown', 'scores.npz --task verb', "--task is one of .*'verb'"),
    Row(
        COMPARE,
        '--out is a file',
        'scores.npz other.npz --resamples 9 --out metrics.json',
        'metrics.json.* could not be written .*correct the path',
    ),
    Row(
        VIEWS,
        '--out in a file',
        'scores.npz --out metrics.json/views',
        'metrics.json.* could not be written',
    ),
    Row(
        SCALING,
        '--out in a file',
        '--holdout holdout.npz --resamples 9 --out metrics.json/t.json',
        'metrics.json.* could not be written .*correct the path',
    ),
    Row(SCALING, 'nothing given', '', 'give CONFIG and CHECKPOINT', 2),
    Row(
        SCALING,
        'the holdout is the test',
        '--holdout scores.npz --test scores.npz',
        'are in the hold',
    ),
    Row(
        SCALING,
        '--publish is there',
        'expert.py expert.pth --publish expert.pth',
        'expert.pth is there already',
        2,
    ),
    Row(
        SCALING,
        '--publish of what',
        '--holdout holdout.npz --publish a.pth',
        'give CONFIG and',
        2,
    ),
    Row(SCALING, 'no such checkpoint', 'expert.py gone.pth', 'no checkpoint gone.pth'),
    Row(SUBMISSION, 'nothing given', '', 'give SCORES.npz and OUT.zip', 2),
    Row(SUBMISSION, 'no levels', 'scores.npz out.zip', 'supervision levels', 2),
    Row(
        SUBMISSION,
        'no verb and noun',
        'scores.npz out.zip --sls-pt 1 --sls-tl 1 --sls-td 1',
        'scores.*verb|verb.*noun',
    ),
    Row(SUBMISSION, '--check absent', '--check gone.zip', 'no submission gone.zip'),
    Row(SUBMISSION, '--check a text', '--check train.csv', 'train.csv is not a zip'),
    Row(SIZE, '--classes -5', '--classes 10 -5', 'argument --classes: expected|arguments: -5', 2),
    Row(
        SIZE,
        '--clips is text',
        '--classes 5 --clips many',
        "--clips: expected a whole number >= 1, got 'many'",
        2,
    ),
]


def metrics_of(text: str):
    return lambda here: (here / 'metrics.json').write_text(text)


def cost_row(what, words, expected, code=1, **options):
    return Row(COST, what, f'{words} --repeats 1 --batch-sizes 1', expected, code, **options)


COSTS = [
    cost_row('no name', 'expert.py', 'models are given as NAME=VALUE', 2),
    cost_row('no such config', 'a=gone.py', "no config 'gone.py'"),
    cost_row(
        'metrics of another', 'a=expert.py --metrics b=metrics.json', r"--metrics names \['b'\]"
    ),
    cost_row('metrics absent', 'a=expert.py --metrics a=gone.json', 'No metrics in gone.json'),
    cost_row(
        'metrics truncated',
        'a=expert.py --metrics a=metrics.json',
        'metrics.json is not JSON .*write it again',
        prepare=metrics_of('{"metrics": {"acc'),
    ),
    cost_row(
        'metrics as a list',
        'a=expert.py --metrics a=metrics.json',
        'metrics.json holds a list; expected',
        prepare=metrics_of('[1, 2]'),
    ),
    cost_row(
        'metrics nested too deep',
        'a=expert.py --metrics a=metrics.json',
        'metrics.json is not JSON .*write it again',
        prepare=metrics_of('[' * 1_000_000),
    ),
    cost_row(
        'metrics without that one',
        'a=expert.py --metrics a=metrics.json --metric acc/verb/top1',
        'acc/verb/top1',
    ),
    cost_row(
        '--frames of nothing',
        'a=expert.py --frames smell=2',
        r"\['smell'\], the modalities are .*rgb",
    ),
    cost_row(
        'no such detector',
        'a=expert.py --detector gone.py gone.pth',
        'no detector config .gone.py',
    ),
    cost_row(
        'a detector without weights',
        'a=expert.py --detector detector.py gone.pth',
        'checkpoint gone.pth',
    ),
]
ROWS = [*DUMPS, *VALUES, *COSTS]
