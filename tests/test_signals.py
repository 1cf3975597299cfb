"""Ctrl-C and SIGTERM: one line, the exit code of a shell, and no process is left."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from mmdistill.signals import stopped_in_one_line

TOOL = """
import time
from torch.utils.data import DataLoader, Dataset
from mmdistill.user_errors import one_line_errors

class Slow(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        time.sleep(0 if index < 2 else 60)
        return index

@one_line_errors
def main():
    for batch in DataLoader(Slow(), batch_size=1, num_workers=2):
        print('ready', flush=True)

main()
"""


@pytest.fixture
def tool():
    """A tool with two loader workers, in a process group of its own."""
    process = subprocess.Popen(
        [sys.executable, '-c', TOOL],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout.readline() == 'ready\n'
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    'whom',
    [pytest.param(os.kill, marks=pytest.mark.slow), os.killpg],
    ids=['process', 'group'],
)
def test_a_tool_with_loader_workers_ends_with_one_line(tool, number, whom):
    children = psutil.Process(tool.pid).children(recursive=True)
    assert len(children) >= 2
    whom(tool.pid, number)
    _, err = tool.communicate(timeout=120)
    assert tool.returncode == 128 + number
    assert err.splitlines() == [err.strip()] and err.startswith(('interrupted by', 'ended by'))
    assert 'the same command continues' in err
    psutil.wait_procs(children, timeout=5)
    assert not any(child.is_running() for child in children)


FORK = """
import os, sys, threading
import mmdistill.signals

def serve(error):
    try:
        raise error
    except Exception:  # as multiprocessing.resource_sharer tells of its errors
        sys.excepthook(*sys.exc_info())

def fail(error):
    raise error

def all_ways(error):
    serve(error)
    thread = threading.Thread(target=fail, args=(error,))
    thread.start()
    thread.join()

if os.fork() == 0:
    all_ways(BrokenPipeError(32, 'the parent is gone'))
    all_ways(ValueError('a fault of the worker'))
    os._exit(0)
os.wait()
serve(BrokenPipeError(32, 'in the parent'))
"""


def test_a_worker_without_its_parent_is_silent_about_that_only():
    done = subprocess.run([sys.executable, '-c', FORK], capture_output=True, text=True, timeout=120)
    lines = [line for line in done.stderr.splitlines() if 'Error: ' in line and line[0] != ' ']
    assert lines == ['ValueError: a fault of the worker'] * 2 + [
        'BrokenPipeError: [Errno 32] in the parent'
    ]


def test_what_runs_is_unwound_and_later_errors_are_not_told(capsys, monkeypatch):
    monkeypatch.setattr(sys, 'unraisablehook', sys.unraisablehook)  # restored afterwards
    unwound = []
    with pytest.raises(SystemExit) as caught, stopped_in_one_line():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            unwound.append(True)
            raise ValueError('a worker is gone')
    assert caught.value.code == 143 and unwound
    assert capsys.readouterr().err.startswith('ended by SIGTERM: ')
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_signal_that_is_ignored_stays_ignored():
    earlier = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as under nohup
    try:
        with stopped_in_one_line():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, earlier)
