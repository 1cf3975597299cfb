"""tools/cache_teacher.py on rendered clips: shared by processes, killed, used without the rest."""

import json
import signal
import sys
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch

from mmdistill.cache import TeacherCache

CONFIG = 'projects/demo/configs/student.py'
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def options(tiny_data, demo_experts):
    return ['--cfg-options', f'data_root={tiny_data}/', f'expert_dir={demo_experts}']


@pytest.fixture(scope='module')
def command(options):
    """The command that wrote `demo_cache`, for another folder."""

    def build(folder):
        sizes = ('--views', '2', '--clips-per-shard', '8')
        return ['tools/cache_teacher.py', CONFIG, folder, *sizes, *options]

    return build


def assert_same_cache(ours: Path, theirs: Path) -> None:
    assert (ours / 'manifest.json').read_text() == (theirs / 'manifest.json').read_text()
    names = sorted(path.name for path in theirs.glob('*.safetensors'))
    assert sorted(path.name for path in ours.glob('*.safetensors')) == names and len(names) > 4
    for name in names:
        one, two = (safetensors.torch.load_file(folder / name) for folder in (ours, theirs))
        assert one.keys() == two.keys()
        for key in one:
            # The holdout is batched by process, which moves its logits in the last bits.
            torch.testing.assert_close(one[key], two[key], rtol=1e-3, atol=1e-4)


def test_a_killed_command_goes_on_where_it_was(
    start_tool, run_tools, command, demo_cache, tmp_path
):
    process, log = start_tool(*command(tmp_path))
    while not list(tmp_path.glob('view*')) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, log.read_text()[-2000:]
    left = {path: path.stat().st_mtime_ns for path in tmp_path.glob('view*')}
    assert 0 < len(left) < len(list(demo_cache.glob('view*')))
    with pytest.raises(FileNotFoundError, match='is missing: run mmdistill cache-teacher again'):
        TeacherCache(tmp_path)
    run_tools(command(tmp_path))
    assert all(path.stat().st_mtime_ns == time for path, time in left.items())
    assert_same_cache(tmp_path, demo_cache)


def test_two_processes_write_the_cache_of_one(run_tools, command, demo_cache, tmp_path):
    launch = ['-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2']
    run_tools([sys.executable, *launch, *command(tmp_path), '--launcher', 'pytorch'])
    assert_same_cache(tmp_path, demo_cache)


def test_training_needs_neither_flow_nor_boxes(
    run_tools, demo_cache, tiny_data, demo_experts, tmp_path
):
    root = tmp_path / 'rgb_only'
    root.mkdir()
    (root / 'annotations').symlink_to(tiny_data / 'annotations')
    for video in tiny_data.glob('*/videos/*.MP4'):
        folder = root / video.parts[-3] / 'videos'
        folder.mkdir(parents=True, exist_ok=True)
        (folder / video.name).symlink_to(video)
    run_tools(
        [
            *('tools/train.py', CONFIG, '--work-dir', tmp_path / 'student'),
            *('--cfg-options', f'data_root={root}/', f'expert_dir={demo_experts}'),
            *(f'teacher_cache={demo_cache}', 'train_cfg.max_epochs=1'),
        ]
    )
    (scalars,) = (tmp_path / 'student').glob('*/vis_data/scalars.json')
    rows = [json.loads(line) for line in scalars.read_text().splitlines()]
    assert any(row.get('verb/loss_soft_target', 0) > 0 for row in rows)
    assert list((tmp_path / 'student').glob('best_*.pth'))
