"""The seeds tool around stand-ins for the tools it starts: what runs, what is kept, what comes out.

The real chain takes minutes; `test_demo.py` runs it. Here each stage writes its outputs at once.
"""

import importlib.util
import json
import signal
import sys
from pathlib import Path

import pytest

from mmdistill.stages import DemoSettings, data_stages, run_stages, training_stages

ROOT = Path(__file__).parents[2]
STAND_IN = """
import pathlib, sys
import numpy as np
arguments = sys.argv[1:]

def after(flag):
    return pathlib.Path(arguments[arguments.index(flag) + 1])

def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('x')

with open('calls.txt', 'a') as calls:
    calls.write(' '.join(sys.argv) + '\\n')
tool = pathlib.Path(sys.argv[0]).name
if tool == 'render_demo.py':
    touch(pathlib.Path(arguments[0]) / 'annotations/EPIC_100_train.csv')
    touch(pathlib.Path(arguments[0]) / 'detector/train.json')
elif tool == 'extract_flow.py':
    touch(after('--videos').parents[2] / 'P01/flow_frames/x')
elif tool == 'extract_detections.py':
    touch(after('--out'))
elif tool == 'train.py':
    touch(after('--work-dir') / f'best_of_seed{after("--seed")}.pth')
elif tool == 'test.py':
    import json
    seed = int(pathlib.Path(arguments[1]).stem[-1])
    right = 0.8 if 'student' in arguments[0] else 0.4
    generator = np.random.default_rng(seed)
    labels = {'verb': np.arange(30) % 3, 'noun': np.arange(30) % 4}
    logits = {}
    for task, label in labels.items():
        answer = np.where(generator.random(30) < right, label, (label + 1) % 3)
        logits[f'logits/{task}'] = 3 * np.eye(4)[answer][:, None].astype('f4')
    names = np.array([f'c{i}' for i in range(30)])
    after('--dump').parent.mkdir(parents=True)
    arrays = {f'labels/{task}': label for task, label in labels.items()}
    np.savez(after('--dump'), sample_ids=names, groups=np.arange(30) // 3, **arrays, **logits)
    accuracy = {
        f'acc/{task}/top1': float((logits[f'logits/{task}'][:, 0].argmax(1) == label).mean())
        for task, label in labels.items()
    }
    accuracy['acc/action/top1'] = 0.5 if 'student' in arguments[0] else 0.2
    tasks = ('verb', 'noun', 'action')
    errors = {f'calibration/{task}/{name}': 0.1 for task in tasks for name in ('ece', 'nll')}
    content = {'metrics': accuracy | errors, 'num_samples': 30}
    after('--out').write_text(json.dumps(content))
"""
TOOLS = ('train', 'test', 'data/render_demo', 'data/extract_flow', 'data/extract_detections')


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to run in, with stand-ins for tools and configs."""
    for tool in TOOLS:
        path = tmp_path / 'tools' / f'{tool}.py'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STAND_IN)
    (tmp_path / 'configs/demo').mkdir(parents=True)
    for name in ('detector', 'rgb', 'flow', 'obj', 'student'):
        (tmp_path / f'configs/demo/{name}.py').write_text('epochs = 1\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run_seeds(monkeypatch):
    """Call the tool with arguments as on the command line."""
    path = ROOT / 'tools/analysis/demo_seeds.py'
    spec = importlib.util.spec_from_file_location('demo_seeds', path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    terminate = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> None:
        monkeypatch.setattr(sys, 'argv', [str(path), *arguments])
        tool.main()

    yield run
    signal.signal(signal.SIGTERM, terminate)


def calls(place: Path) -> list[str]:
    """Commands since the last look."""
    path = place / 'calls.txt'
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


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


def test_a_spread_needs_two_seeds(place, run_seeds):
    with pytest.raises(SystemExit, match='--seeds 2'):
        run_seeds('--seeds', '1')
    assert calls(place) == []
