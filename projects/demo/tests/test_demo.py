"""The whole demo at a tiny size, through the same command that `make demo` runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROWS = {
    'rgb_baseline': 'baseline',
    'rgb_expert': 'expert',
    'flow_expert': 'expert',
    'obj_expert': 'expert',
    'teacher_uniform': 'teacher',
    'teacher': 'teacher',
    'student': 'student',
}
TASKS = ('verb', 'noun', 'action')


def run_tool(*arguments: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    """A finished run of a few dozen clips and one epoch each: its folder, how to run it again."""
    folder = tmp_path_factory.mktemp('demo')
    shared = (
        *('--data-root', folder / 'data', '--train', '60', '--val', '24'),
        *('--unlabelled', '12'),
        *('--cfg-options', 'train_cfg.max_epochs=1'),
    )
    done = run_tool('-m', 'projects.demo', '--work-dir', folder / 'work', *shared)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return folder, shared, done.stdout


@pytest.mark.slow
def test_report_has_every_row_with_cost_and_metrics(demo):
    report = json.loads((demo[0] / 'work' / 'report.json').read_text())
    assert {row['name']: row['role'] for row in report['rows']} == ROWS
    for row in report['rows']:
        assert row['num_samples'] == 24
        assert row['params'] > 0 and row['flops'] > 0 and row['latency_ms'] > 0
        for task in TASKS:
            assert 0 <= row[f'acc/{task}/top1'] <= row[f'acc/{task}/top5'] <= 1
            assert 0 <= row[f'calibration/{task}/ece'] <= 1
            assert row[f'calibration/{task}/nll'] > 0
        assert row['temperatures'].keys() == {'verb', 'noun'}
        assert row['intervals'].keys() >= {'acc/action/top1', 'calibration/action/ece'}
    assert report['left_out'] == [] or [x['section'] for x in report['left_out']] == [
        'Training curves'
    ]
    assert 0 <= report['detector']['ap50'] <= 1
    for weights in report['teacher_weights'].values():
        assert sum(weights.values()) == pytest.approx(1, abs=1e-4)
        assert set(weights) == {'rgb', 'flow', 'obj'}


@pytest.mark.slow
def test_costs_are_ordered_as_they_must_be(demo):
    report = json.loads((demo[0] / 'work' / 'report.json').read_text())
    rows = {row['name']: row for row in report['rows']}
    baseline, student, teacher = rows['rgb_baseline'], rows['student'], rows['teacher']
    assert (student['params'], student['flops']) == (baseline['params'], baseline['flops'])
    experts = [rows[f'{name}_expert'] for name in ('rgb', 'flow', 'obj')]
    assert teacher['params'] == sum(row['params'] for row in experts)
    assert teacher['flops'] == pytest.approx(sum(row['flops'] for row in experts), rel=0.01)


@pytest.mark.slow
def test_page_loads_nothing_from_elsewhere(demo):
    page = (demo[0] / 'work' / 'report.html').read_text(encoding='utf-8')
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    # Diagrams of six tests, before and after; clips with three strips each; and the other plots.
    assert len(sources) >= 3 * 6 * 2 + 3 + 2 + 2
    assert all(source.startswith('data:image/') for source in sources)
    assert '<script' not in page


@pytest.mark.slow
def test_a_second_run_has_nothing_to_do(demo):
    folder, shared, output = demo
    assert 'Time and memory' in output and 'Student' in output
    again = run_tool('-m', 'projects.demo', '--work-dir', folder / 'work', *shared)
    assert again.returncode == 0
    assert again.stdout.count('finished before') == 23 and 'started, log' not in again.stdout
