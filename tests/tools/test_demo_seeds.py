"""The seeds tool around stand-ins for the tools it starts: what runs, what is kept, what comes out.

The real chain takes minutes; `test_demo.py` runs it. Here each stage writes its outputs at once.
"""

import json
import signal
import sys
from pathlib import Path

import pytest
from programs import load_program

from mmdistill.stages import DemoSettings, data_stages, run_stages, training_stages

from .stand_ins import calls, write_stand_ins

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to run in, with stand-ins for tools and configs."""
    write_stand_ins(tmp_path)
    (tmp_path / 'configs/demo').mkdir(parents=True)
    for name in ('detector', 'rgb', 'flow', 'obj', 'student'):
        (tmp_path / f'configs/demo/{name}.py').write_text('epochs = 1\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run_seeds(monkeypatch):
    """Call the tool with arguments as on the command line."""
    path = ROOT / 'tools/analysis/demo_seeds.py'
    tool = load_program('tools/analysis/demo_seeds.py')
    terminate = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> None:
        monkeypatch.setattr(sys, 'argv', [str(path), *arguments])
        tool.main()

    yield run
    signal.signal(signal.SIGTERM, terminate)


def test_each_seed_trains_on_the_same_data_and_is_kept(place, run_seeds, capsys):
    run_seeds('--seeds', '2', '--resamples', '100')
    assert 'student − baseline' in capsys.readouterr().out
    first = calls(place)
    assert len(first) == 4 + 2 * (4 + 2)
    assert sum('render_demo' in line for line in first) == 1
    for seed in range(2):
        assert sum(f'--work-dir work_dirs/demo_seeds/seed{seed}/student ' in c for c in first) == 1
    result = json.loads((place / 'work_dirs/demo_seeds/seeds.json').read_text())
    rows = {row['metric']: row for row in result['rows']}
    assert rows['acc/action/top1']['difference_mean'] == pytest.approx(0.3)

    run_seeds('--seeds', '3', '--resamples', '100')
    # Only the third seed is new; the data and its detector are shared.
    added = calls(place)
    assert len(added) == 4 + 2 and all('seed2' in line for line in added)


def test_a_finished_demo_with_the_same_settings_is_seed_0(place, run_seeds):
    settings = DemoSettings()
    demo = [*data_stages(settings), *training_stages(settings, teachers=False)]
    run_stages(demo, jobs=2, cores=2)
    calls(place)
    run_seeds('--seeds', '2', '--resamples', '100')
    assert all('seed1' in line for line in calls(place))
    assert not (place / 'work_dirs/demo_seeds/seed0').exists()

    # With another student the demo is no longer seed 0, and it is left as it was.
    (place / 'configs/demo/student.py').write_text('epochs = 2\n')
    run_seeds('--seeds', '2', '--resamples', '100')
    again = calls(place)
    assert any('seed0/rgb' in line for line in again)
    assert not any('work_dirs/demo/' in line for line in again if 'train.py' in line)


def test_a_spread_needs_two_seeds(place, run_seeds, capsys):
    with pytest.raises(SystemExit):
        run_seeds('--seeds', '1')
    assert "--seeds: expected a whole number from 2 to 1000, got '1'" in capsys.readouterr().err
    assert calls(place) == []
