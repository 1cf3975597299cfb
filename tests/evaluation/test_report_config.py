"""The config of a report: defaults from the tests, and every mistake told with what mends it."""

from pathlib import Path

import pytest

from mmdistill.evaluation import read_report_config
from mmdistill.evaluation.report_config import CostSettings

from .conftest import make_table, write_test_files

MODEL = "data_root = 'data/here/'\nann = data_root + 'x.csv'\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with the tests of two models."""
    monkeypatch.chdir(tmp_path)
    for name in ('rgb', 'small'):
        Path(f'{name}.py').write_text(MODEL)
        write_test_files(tmp_path / 'test' / name, make_table(1.0), f'{name}.py')
    return tmp_path


def read(text, **options):
    Path('report.py').write_text(text)
    return read_report_config('report.py', options)


def test_two_lines_are_a_report(here):
    report = read("models = dict(rgb=dict(role='expert', test='test/rgb'))\n")
    (model,) = report.models
    assert (model.title, model.role, model.config) == ('rgb', 'expert', 'rgb.py')
    assert model.cfg_options == {} and model.reads == ()
    assert report.heading.title == 'report' and report.out == Path('work_dirs/report')
    assert report.cost == CostSettings() and report.clips and report.detector is None


def test_roots_move_paths_and_reach_the_models_that_have_them(here):
    text = (
        "data_root, expert_dir = 'data/here/', 'work'\n"
        "models = dict(rgb=dict(role='expert', test=expert_dir + '/rgb', "
        "cfg_options=dict(ann='mine.csv')))\n"
    )
    report = read(text, data_root='data/there/', expert_dir='test')
    (model,) = report.models
    assert model.files.test == Path('test/rgb')
    assert model.cfg_options == {'data_root': 'data/there/', 'ann': 'mine.csv'}


def test_the_first_of_a_role_leads(here):
    text = "a = dict(role='student', test='test/rgb')\nmodels = dict(a=a, b=dict(a))\n"
    report = read(text)
    assert report.first('student').name == 'a' and report.first('teacher') is None


ONE = "models = dict(rgb=dict(role='expert', test='test/rgb', {}))\n"


@pytest.mark.parametrize(
    ('text', 'error', 'message'),
    [
        ("title = 'x'\n", ValueError, 'report.py has no models'),
        (
            ONE.format("title='x', rôle=1"),
            ValueError,
            r"models.rgb has the unknown keys \['rôle'\]",
        ),
        (
            "models = dict(a=dict(role='referee', test='test/rgb'))\n",
            ValueError,
            "models.a: role is one of .*'student'.*, got 'referee'",
        ),
        ("models = dict(a=dict(role='expert'))\n", ValueError, 'models.a: test is missing'),
        ("models = dict(a='test/rgb')\n", ValueError, 'models.a is a dict with some of'),
        (
            "models = dict(a=dict(role='expert', test='test/b', config='b.py'))\n",
            FileNotFoundError,
            'test/b lacks metrics.json and scores.npz: write both with `mmdistill test b.py '
            'CHECKPOINT --out test/b/metrics.json --dump',
        ),
        (
            ONE.format("holdout='no.npz'"),
            FileNotFoundError,
            'models.rgb.holdout: there is no dump no.npz; write it with `mmdistill test '
            'rgb.py CHECKPOINT --holdout --dump no.npz`',
        ),
        (ONE.format("views=dict(dump='v.npz', clips=3)"), FileNotFoundError, 'num_clips=3'),
        (ONE.format('views=dict(clips=3)'), ValueError, 'models.rgb.views: dump is missing'),
        (ONE.format("train='no'"), FileNotFoundError, 'mmdistill train rgb.py'),
        (ONE.format('') + "detector = dict(config='d.py')\n", ValueError, "lacks .'checkpoint'"),
        (
            ONE.format('') + "detector = dict(config='d.py', checkpoint='best*.pth')\n",
            FileNotFoundError,
            'no detector.checkpoint best\\*.pth',
        ),
        (
            ONE.format('') + "missing = 'no'\n",
            FileNotFoundError,
            'missing: there is no folder no; `mmdistill missing-modalities compare` writes it',
        ),
        (ONE.format('') + 'cost = dict(times=3)\n', ValueError, r'cost has the unknown keys'),
        (
            "models = {n: dict(title='x', role='expert', test='test/rgb') for n in 'ab'}\n",
            ValueError,
            'give each its own title',
        ),
    ],
)
def test_mistakes_are_told(here, text, error, message):
    with pytest.raises(error, match=message):
        read(text)


def test_a_test_of_the_holdout_is_no_test(here):
    path = here / 'test/rgb/metrics.json'
    path.write_text(path.read_text().replace('"num_samples"', '"holdout": true, "num_samples"'))
    with pytest.raises(ValueError, match='is of the holdout'):
        read(ONE.format(''))
