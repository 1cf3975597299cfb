"""An environment of the built wheel and the `predict` extra alone: no torch, no OpenMMLab."""

import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from mmdistill.deploy import read_published
from mmdistill.deploy.onnx_export import export_onnx
from mmdistill.deploy.openvino_export import export_openvino
from mmdistill.deploy.torch_network import build_network

ROOT = Path(__file__).parents[2]
NOT_OURS = shutil.ignore_patterns(
    '.git', '.venv', 'build', 'dist', '*.egg-info', 'data', 'work_dirs', '__pycache__', '.*_cache'
)
NEVER = ('torch', 'mmengine', 'mmcv', 'mmaction', 'mmdet', 'h5py', 'safetensors', 'scipy')
pytestmark = pytest.mark.slow


def run(*command, cwd=None):
    """As a stranger does, with nothing of the clone in reach."""
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={'PATH': '/usr/bin:/bin', 'HOME': str(cwd or '/')},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def with_their_needs(names):
    """The distributions of these requirements, and of what they need."""
    found, waiting = {}, list(names)
    while waiting:
        text = waiting.pop()
        name = re.match(r'[\w.-]+', text).group().lower().replace('_', '-')
        if 'extra ==' in text or name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # for another system or another Python
            continue
        waiting += found[name].requires or []
    return found


@pytest.fixture(scope='module')
def python(tmp_path_factory):
    """The Python of an environment that holds links to these distributions, and our wheel."""
    root = tmp_path_factory.mktemp('predict')
    shutil.copytree(ROOT, root / 'clone', symlinks=True, ignore=NOT_OURS)
    build = ['--no-deps', '--no-build-isolation', '--no-index', '-q', '-w', root / 'wheels']
    done = run(sys.executable, '-m', 'pip', 'wheel', root / 'clone', *build, cwd=root)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(root / 'clone')
    assert run(sys.executable, '-m', 'venv', '--without-pip', root / 'env').returncode == 0
    [site] = (root / 'env').glob('lib/python3*/site-packages')
    [wheel] = root.glob('wheels/*.whl')
    shutil.unpack_archive(wheel, site, 'zip')
    [record] = site.glob('mmdistill-*.dist-info/METADATA')
    needs = re.findall(
        r"^Requires-Dist: (.+?) ?; extra == ['\"]predict['\"]", record.read_text(), re.M
    )
    assert len(needs) >= 5
    for found in with_their_needs([*needs, 'openvino']).values():
        for name in {file.parts[0] for file in found.files if file.parts[0] not in ('..', '.')}:
            source, link = Path(found.locate_file(name)), site / name
            if source.exists() and not link.exists():
                link.symlink_to(source)
    return root / 'env/bin/python'


@pytest.fixture(scope='module')
def exported(published, tmp_path_factory):
    folder = tmp_path_factory.mktemp('exported')
    described, weights = read_published(published)
    network = build_network(described, weights, published)
    export_onnx(described, network, folder / 'student.onnx')
    export_openvino(described, network, folder / 'student.xml')
    return folder


@pytest.mark.parametrize('name', ['student.onnx', 'student.xml'])
def test_it_predicts(python, exported, model, video, tmp_path, name):
    listed = f'import importlib.util as u; print([x for x in {NEVER} if u.find_spec(x)])'
    assert run(python, '-c', listed, cwd=tmp_path).stdout == '[]\n'
    words = ['--model', exported / name, '--topk', 3, '--out-json', 'found.json']
    words += ['--window', 1, '--out-video', 'drawn']
    done = run(python, '-m', 'mmdistill', 'predict', video, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    [found] = json.loads((tmp_path / 'found.json').read_text())['videos']
    expected = list(model.windows(video, window=1, stride=0.5))
    assert len(found['predictions']) == len(expected)
    for one, other in zip(found['predictions'], expected, strict=True):
        theirs = other.to_dict(3)
        for task in ('verb', 'noun', 'action'):
            assert [x['name'] for x in one[task]] == [x['name'] for x in theirs[task]]
            for mine, known in zip(one[task], theirs[task], strict=True):
                assert mine['probability'] == pytest.approx(known['probability'], abs=1e-5)
    assert (tmp_path / 'drawn' / f'{video.stem}.mp4').is_file()


def test_what_needs_more_says_so(python, published, video, tmp_path):
    done = run(python, '-m', 'mmdistill', 'predict', video, '--model', published, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        'error: This needs torch and mmaction, which is not installed: pip install mmdistill.\n'
    )
