"""Several processes end with one sentence, the last line, whoever of them said it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOL = """
import os, signal, sys
from mmdistill.user_errors import one_line_errors

@one_line_errors
def main():
    print('begun', flush=True)
    {action}

main()
"""


def launch(folder: Path, action: str) -> subprocess.CompletedProcess:
    """Two processes of a tool that does this."""
    tool = folder / 'tool.py'
    tool.write_text(TOOL.format(action=action))
    command = [sys.executable, '-m', 'mmdistill.launch', '--nproc_per_node=2', '--standalone']
    return subprocess.run(
        [*command, str(tool)],
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(
    ('action', 'code', 'last'),
    [
        ("raise ValueError('Both are wrong.')", 1, 'error: Both are wrong.'),
        ('os.kill(os.getpid(), signal.SIGKILL)', 1, 'error: process . ended with SIGKILL'),
        ('pass', 0, None),
    ],
    ids=['a mistake', 'killed', 'fine'],
)
def test_one_sentence_at_the_end(tmp_path, action, code, last):
    done = launch(tmp_path, action)
    assert done.returncode == code, done.stderr
    assert 'Traceback' not in done.stderr and 'begun' in done.stdout
    lines = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    if last is None:
        assert lines == []
    else:
        assert len(lines) == 1 and done.stderr.splitlines()[-1] == lines[0]
        assert re.match(last, lines[0])
