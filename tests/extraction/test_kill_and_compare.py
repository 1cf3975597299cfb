"""Every extraction tool survives kill -9, byte for byte; the script does it more often."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_killed_tools_leave_the_same_bytes():
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get('PYTHONPATH'))))
    done = subprocess.run(
        [sys.executable, 'tests/extraction/kill_and_compare.py', '--kills', '1'],
        cwd=ROOT,
        env=os.environ | {'PYTHONPATH': path, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for tool in ('flow', 'audio', 'detections', 'packs'):
        assert f'{tool}: killed 1 times' in done.stdout
