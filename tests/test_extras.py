"""What `pip install mmdistill` brings serves training and testing: no compiler, no MMDetection."""

import subprocess
import sys
from pathlib import Path

import pytest

from mmdistill.extras import require

ROOT = Path(__file__).parents[1]
# Whoever imports the first three gets what a machine without them says. Upstream needs the others,
# and imports them itself; this package only where it draws, counts or writes a page.
WITHOUT = """
import builtins, importlib.abc, sys

GONE = ('mmdet', 'mmcv._ext', 'mmcv.ops', 'jinja2')

class Gone(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in GONE or name.startswith(tuple(f'{x}.' for x in GONE)):
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)

sys.meta_path.insert(0, Gone())
asked, real = set(), builtins.__import__

def watched(name, globals=None, *rest, **more):
    importer = (globals or {}).get('__name__', '')
    if importer.startswith('mmdistill') and name.partition('.')[0] in ('scipy', 'matplotlib'):
        asked.add(f'{importer} imports {name}')
    return real(name, globals, *rest, **more)

builtins.__import__ = watched
"""
BUILD = """
import mmdistill.commands.predict, mmdistill.commands.publish
from mmengine.registry import init_default_scope
from mmdistill.config_tools import load_config
from mmdistill.registry import HOOKS, METRICS, MODELS

init_default_scope('mmaction')
cfg = load_config('projects/demo/configs/student.py')
student = MODELS.build(cfg.model)
for name in ('rgb', 'flow', 'obj', 'audio'):
    MODELS.build(load_config(f'projects/demo/configs/{name}.py').model)
for hook in cfg.custom_hooks + [cfg.default_hooks.visual_report]:
    assert HOOKS.get(hook['type']), hook
for metric in cfg.val_evaluator:
    METRICS.build(metric)
print(sorted(asked), [name for name in GONE if name in sys.modules])
"""
DETECTOR = """
from mmdistill.registry import MODELS
import mmdistill.models
MODELS.build(dict(type='mmdistill.DetectorBackbone', config='x.py', checkpoint=None))
"""


def run(program, *words, cwd=ROOT):
    command = [sys.executable, '-c', program, *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, env=None)


def test_a_student_and_its_experts_are_built_without_the_extras():
    done = run(WITHOUT + BUILD)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == '[] []'


def test_a_detector_says_which_extra_it_needs():
    done = run(WITHOUT + DETECTOR)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "This needs mmdet and mmcv._ext, which is not installed: pip install 'mmdistill[detect]'."
    )


@pytest.mark.parametrize(
    ('command', 'extra'), [('extract-detections', 'detect'), ('report', 'report')]
)
def test_a_command_says_it_in_one_line(command, extra):
    done = run(WITHOUT + f'from mmdistill.cli import main\nmain([{command!r}, "a", "b"])')
    assert done.returncode == 1 and done.stderr.count('\n') == 1
    assert done.stderr.startswith('error: This needs ') and f"'mmdistill[{extra}]'" in done.stderr


def test_require():
    require('dev', 'torch', 'mmengine')
    with pytest.raises(ImportError, match=r"needs no_such_module, .*'mmdistill\[dev\]'"):
        require('dev', 'torch', 'no_such_module')
