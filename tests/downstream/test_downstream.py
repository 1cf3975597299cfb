"""A project outside of the clone, on the built wheel: trained, resumed and tested from anywhere."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from miniature_media import write_video

ROOT = Path(__file__).parents[2]
REPO = Path(__file__).parent / 'repo'
NOT_OURS = shutil.ignore_patterns(
    '.git', '.venv', 'build', 'dist', '*.egg-info', 'data', 'work_dirs', '__pycache__', '.*_cache'
)
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def environment(tmp_path_factory):
    """The `bin` of a fresh environment with the two wheels; what they build on is that of here."""
    root = tmp_path_factory.mktemp('downstream')
    shutil.copytree(ROOT, root / 'clone', symlinks=True, ignore=NOT_OURS)
    shutil.copytree(REPO, root / 'repo')
    build = ['--no-deps', '--no-build-isolation', '--no-index', '-q']
    for name in ('clone', 'repo'):
        _run([sys.executable, '-m', 'pip', 'wheel', root / name, *build, '-w', root / 'wheels'])
        shutil.rmtree(root / name)
    _run([sys.executable, '-m', 'venv', '--without-pip', root / 'env'])
    site = next((root / 'env').glob('lib/python3*/site-packages'))
    # A folder of a .pth file is on the path, but its own .pth files, such as that of an editable
    # install, are not read.
    (site / 'what_is_here.pth').write_text('\n'.join(_site_packages()))
    python = root / 'env/bin/python'
    _run([python, '-m', 'pip', 'install', '-q', '--no-deps', '--no-index', *root.glob('wheels/*')])
    return python.parent


def _site_packages() -> list[str]:
    return [path for path in sys.path if path.endswith('site-packages')] or [
        sysconfig.get_path('purelib')
    ]


def _run(command, cwd=None) -> str:
    """Run it as a stranger would, with nothing of the clone in reach; returns what it printed."""
    outside = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'VIRTUAL_ENV')}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=outside, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path):
    """A checkout of the project with data, and somebody who stands elsewhere."""
    root = tmp_path / 'project'
    shutil.copytree(REPO, root, ignore=shutil.ignore_patterns('kitchen'))
    rows = ['video_id,start_frame,stop_frame,action']
    for number in range(8):
        generator = np.random.default_rng(number)
        noise = generator.integers(0, 256, (12, 4, 6, 3), dtype=np.uint8)
        frames = noise.repeat(12, axis=1).repeat(12, axis=2)
        write_video(root / f'data/videos/v{number}.mp4', frames, Fraction(10))
        (root / 'data/acceleration').mkdir(exist_ok=True)
        np.savetxt(
            root / f'data/acceleration/v{number}.csv', generator.normal(size=(12, 3)), delimiter=','
        )
        rows.append(f'v{number},0,12,{number % 3}')
    (root / 'data/train.csv').write_text('\n'.join(rows))
    (root / 'data/test.csv').write_text('\n'.join(rows[:4]))
    (root / 'data/classes.csv').write_text('id,name\n0,push\n1,lift\n2,touch\n')
    return root


def test_it_trains_resumes_and_tests_without_the_clone(environment, project, tmp_path):
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()

    def mmdistill(*words):
        return _run([environment / 'mmdistill', *words], cwd=elsewhere)

    where = 'import mmdistill, kitchen; print(mmdistill.__file__, kitchen.__file__)'
    for path in _run([environment / 'python', '-c', where], cwd=elsewhere).split():
        assert Path(path).is_relative_to(environment.parent)

    mmdistill('train', project / 'configs/acceleration.py')
    [expert] = project.glob('work_dirs/acceleration/best_*.pth')
    student = project / 'configs/student.py'
    first = mmdistill('train', student)
    assert 'Holdout acceleration' in first and 'loss_cosine' in first
    epochs = ['--cfg-options', 'train_cfg.max_epochs=2', 'param_scheduler=None']
    resumed = mmdistill('train', student, '--resume', *epochs)
    assert 'Epoch(train) [2]' in resumed and 'Epoch(train) [1]' not in resumed
    assert {path.name for path in project.glob('work_dirs/student/epoch_*.pth')} == {
        'epoch_1.pth',
        'epoch_2.pth',
    }
    best = project / 'work_dirs/student/best_*.pth'
    mmdistill('test', student, best, '--out', 'metrics.json')
    written = json.loads((elsewhere / 'metrics.json').read_text())
    assert written['num_samples'] == 3 and 'calibration/action/ece' in written['metrics']
    assert sorted(path.name for path in elsewhere.iterdir()) == ['metrics.json']


def test_configs_of_the_wheel_are_read_by_their_name(environment, tmp_path):
    program = (
        'from mmdistill.config_tools import load_config, read_model\n'
        "cfg = load_config('mmdistill::distill/swin_ek100_rgbflowobj.py')\n"
        'for expert in cfg.teacher.experts.values():\n'
        '    read_model(expert.config)\n'
        'print(cfg.filename)'
    )
    path = _run([environment / 'python', '-c', program], cwd=tmp_path).splitlines()[-1]
    assert Path(path).is_relative_to(environment.parent)
    shown = _run([environment / 'mmdistill', '--help'], cwd=tmp_path)
    assert '  extract-flow ' in shown
