"""What every step of the set-up shares: the lists of setup.py, and running other programs.

Programs are quiet on the terminal and complete in a log.
"""

import os
import re
import runpy
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEEDS = runpy.run_path(str(ROOT / 'setup.py'))
HEARTBEAT = 20  # seconds between two signs of life of a long step


class SetupError(Exception):
    """Something the user has to mend; the message says what and how."""


def pip(python: Path, *arguments: str | Path) -> list[str]:
    options = ('--disable-pip-version-check', '--no-input', '--progress-bar', 'off')
    command, *rest = arguments
    if command == 'install':
        # Python compiles a module when it is first imported; all of them take a minute.
        options += ('--no-compile',)
    return [str(python), '-m', 'pip', command, *options, *map(str, rest)]


def run_probe(python: Path, code: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [str(python), '-W', 'ignore', '-c', code, *arguments]
    return subprocess.run(command, cwd=python.parent, capture_output=True, text=True)


def run_logged(command: list[str], log: Path, label: str, changes: dict | None = None) -> None:
    """Run a long step with its output in the log, and say now and then where it is.

    `changes` are environment variables to set for it.

    Raises:
        SetupError: The step failed; the message holds the end of its output.
    """
    say(f'{label} ...')
    start, begin = time.monotonic(), log.stat().st_size
    env = {**os.environ, **(changes or {})}
    with log.open('ab') as sink:
        step = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env=env)
    while True:
        try:
            code = step.wait(timeout=HEARTBEAT)
            break
        except subprocess.TimeoutExpired:
            output = log.read_bytes()[begin:].decode(errors='replace')
            counts = re.findall(r'\[(\d+)/(\d+)\]', output)
            where = '{} of {} files'.format(*counts[-1]) if counts else last_line(output)[:80]
            say(f'  {duration(time.monotonic() - start)}: {where}')
    if code:
        output = log.read_bytes()[begin:].decode(errors='replace')
        tail = '\n'.join(output.splitlines()[-15:])
        raise SetupError(f'"{label}" failed. Its output ends with:\n{tail}\nAll of it: {log}')


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ['no output'])[-1].strip()


def duration(seconds: float) -> str:
    return f'{int(seconds) // 60} min {int(seconds) % 60:02d} s'


def say(text: str) -> None:
    print(f'[setup] {text}', flush=True)
