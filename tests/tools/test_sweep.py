"""tools/sweep.py on rendered clips: killed, continued, extended; its table and plot."""

import csv
import json
import signal
import time

import cv2
import psutil
import pytest


@pytest.fixture(scope='module')
def tool(load_tool):
    return load_tool('sweep.py')


@pytest.mark.slow
def test_a_killed_sweep_is_continued_and_ends_with_a_table(
    start_tool, demo_cache, demo_experts, tiny_data, tmp_path
):
    folder = tmp_path / 'sweep'
    command = [
        *('tools/sweep.py', 'projects/demo/configs/student.py', '--cache', demo_cache),
        *('--grid', 'temperature=1,4', 'weighting=uniform', '--seeds', '3'),
        *('--work-dir', folder, '--split', 'test'),
        *('--cfg-options', f'data_root={tiny_data}/', f'expert_dir={demo_experts}'),
        'train_cfg.max_epochs=1',
    ]
    process, log = start_tool(*command)
    names = [f'temperature={t}_weighting=uniform_seed3' for t in (1, 4)]
    first = folder / 'stamps' / f'{names[0]}.json'
    while not first.exists() and process.poll() is None:
        time.sleep(0.1)
    for child in [psutil.Process(process.pid), *psutil.Process(process.pid).children(True)]:
        child.send_signal(signal.SIGKILL)
    process.wait()
    trained = first.read_text()

    process, log = start_tool(*command)
    assert process.wait() == 0, log.read_text()[-4000:]
    assert f'{names[0]:<18} finished before' in log.read_text() and first.read_text() == trained
    with (folder / 'sweep.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [(row['temperature'], row['weighting'], row['runs']) for row in rows] == [
        ('1', 'uniform', '1'),
        ('4', 'uniform', '1'),
    ]
    for row, name in zip(rows, names, strict=True):
        point = folder / name.removesuffix('_seed3')
        metrics = json.loads((point / 'seed3/test/metrics.json').read_text())['metrics']
        assert float(row['acc/action/top1']) == metrics['acc/action/top1']
        assert float(row['calibration/verb/nll']) == metrics['calibration/verb/nll']
        assert (point / 'seed3/test/scores.npz').exists()
    # The same clips, weights and draws: only the temperature differs.
    assert rows[0]['calibration/verb/nll'] != rows[1]['calibration/verb/nll']
    assert cv2.imread(str(folder / 'sweep.png')).shape[0] > 300


def test_bad_input_is_told_before_anything_runs(tool, tmp_path):
    command = ['projects/demo/configs/student.py', '--work-dir', str(tmp_path / 'sweep')]
    with pytest.raises(SystemExit, match='^error: .* holds no teacher cache'):
        tool.main([*command, '--cache', str(tmp_path), '--grid', 'temperature=1,2'])
    with pytest.raises(SystemExit, match='2'):
        tool.main([*command, '--cache', str(tmp_path)])
    assert not (tmp_path / 'sweep').exists()
