"""The results tool around stand-ins for the tools it starts: what runs, is kept, and comes out."""

import csv
import signal
from pathlib import Path

import pytest

from projects.demo import results

from .stand_ins import calls, write_stand_ins

ROOT = Path(__file__).parents[3]
ROWS = ('--rows', 'rgb', 'teacher', 'student', '--seeds', '2', '--resamples', '100')


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to run in: stand-ins for the tools, and the configs."""
    write_stand_ins(tmp_path)
    (tmp_path / 'projects/demo').mkdir(parents=True, exist_ok=True)
    (tmp_path / 'projects/demo/configs').symlink_to(ROOT / 'projects/demo/configs')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def main():
    terminate = signal.getsignal(signal.SIGTERM)
    yield results.main
    signal.signal(signal.SIGTERM, terminate)


def test_rows_are_trained_once_and_their_tables_written(place, main, capsys):
    main([*ROWS, '--out', 'page'])
    first = calls(place)
    trained = [line for line in first if line.startswith('train ')]
    assert len(trained) == 1 + 2 * (3 + 1)  # the detector; per seed three experts and a student
    assert sum(line.startswith('cache-teacher ') for line in first) == 2
    assert sum('rgb_views.py' in line for line in first) == 4
    text = (place / 'page/tables.md').read_text()
    assert text in capsys.readouterr().out
    tables, _, weights = text.partition('## Weights')
    lines = {line.split(' | ')[0].strip('| '): line for line in tables.splitlines()}
    assert '±' in lines['RGB: the baseline'] and ' | 2 | ' in lines['all, softmin, γ = 1']
    assert '[' in lines['all (γ = 1, T = 1, λ = 0.9)']
    assert 'rgb 26, flow 26, obj 48' in weights
    with (place / 'page/results.csv').open() as file:
        assert {row['row'] for row in csv.DictReader(file)} == {'rgb', 'teacher', 'student'}
    assert r'| 4 x 3\*, mean logits |' in (place / 'page/views.md').read_text()
    assert (place / 'page/changes.svg').read_text().startswith('<svg')

    # Another row builds on what is there, and is written into a folder of its own.
    main(['--rows', 'rgb', 'student_t2', *ROWS[4:]])
    added = [line for line in calls(place) if line.startswith('train ')]
    assert len(added) == 2 and all('student_t2' in line for line in added)
    assert (place / 'page/tables.md').read_text() == text


def test_only_what_is_finished_is_shown_on_demand(place, main):
    main(['--rows', 'rgb', 'smoothed', '--seeds', '2', '--resamples', '100'])
    calls(place)
    main([*ROWS, '--finished'])
    assert calls(place) == []
    text = (place / 'work_dirs/results/tables.md').read_text()
    assert 'RGB: the baseline' in text and 'Teachers' not in text


def test_without_a_baseline_nothing_is_shown(place, main):
    with pytest.raises(SystemExit, match='baseline is not finished with any seed'):
        main([*ROWS, '--finished'])
