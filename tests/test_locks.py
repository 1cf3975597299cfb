"""Two runs never write the same output, and the second one hears who the first one is."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from mmdistill import locks
from mmdistill.locks import OutputInUseError, output_lock, training_lock

HOLD = """
import sys, time
from mmdistill.locks import output_lock
with output_lock(sys.argv[1]):
    print('held', flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_run(tmp_path):
    """A process that holds the lock of d.h5 until it is ended."""
    command = [sys.executable, '-c', HOLD, str(tmp_path / 'd.h5')]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == 'held\n'
        yield process
        process.kill()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(locks, 'SECONDS_TO_WAIT', 0.1)


def test_the_second_run_hears_who_holds_the_output_and_since_when(other_run, tmp_path):
    year = time.strftime('%Y')
    expected = rf'd\.h5: `python -c .*d\.h5`, process {other_run.pid} on .+, since {year}-.*Wait'
    with pytest.raises(OutputInUseError, match=expected), output_lock(tmp_path / 'd.h5'):
        pass
    with output_lock(tmp_path / 'e.h5'):
        pass


def test_a_killed_run_frees_the_output(other_run, tmp_path):
    other_run.send_signal(signal.SIGKILL)
    other_run.wait()
    assert (tmp_path / '.d.h5.lock').exists()
    with output_lock(tmp_path / 'd.h5'):
        assert json.loads((tmp_path / '.d.h5.lock').read_text())['pid'] == os.getpid()
    assert not list(tmp_path.iterdir())


def test_an_output_is_the_same_by_whatever_name(other_run, tmp_path):
    (tmp_path / 'sub').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path)
    for name in ('sub/../d.h5', 'link/d.h5'):
        with pytest.raises(OutputInUseError), output_lock(tmp_path / name):
            pass


def test_nothing_is_left_behind_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), output_lock(tmp_path / 'out', inside='training'):
        assert (tmp_path / 'out/.training.lock').exists()
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_ranks_of_one_run_work_side_by_side(tmp_path):
    with ExitStack() as held:
        for index in range(3):
            held.enter_context(output_lock(tmp_path / 'd.h5', share=(index, 3)))
        for share in ((1, 3), (0, 2), (0, 1)):
            with (
                pytest.raises(OutputInUseError),
                output_lock(tmp_path / 'd.h5', share=share),
            ):
                pass
    for share in ((0, 2), (0, 1)):
        with output_lock(tmp_path / 'd.h5', share=share):
            pass
    assert not list(tmp_path.iterdir())


def test_ranks_keep_out_of_a_run_that_is_alone(other_run, tmp_path):
    with pytest.raises(OutputInUseError), output_lock(tmp_path / 'd.h5', share=(1, 2)):
        pass


def test_locks_of_two_purposes_in_one_folder_are_apart(tmp_path):
    with output_lock(tmp_path, inside='stages'), training_lock(tmp_path):
        assert {path.name for path in tmp_path.iterdir()} == {'.stages.lock', '.training.lock'}


def test_only_the_first_rank_of_a_training_holds_its_work_dir(tmp_path, monkeypatch):
    with training_lock(tmp_path):
        monkeypatch.setenv('RANK', '1')
        with training_lock(tmp_path, 'pytorch'):
            pass
        # Left over from the machine's scheduler: not this training's.
        with pytest.raises(OutputInUseError), training_lock(tmp_path):
            pass


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr('fcntl.flock', refuse)
    with output_lock(tmp_path / 'd.h5') as descriptor:
        assert descriptor is None
    assert 'd.h5 has no locks (No locks available)' in capsys.readouterr().err


def test_a_full_disk_does_not_keep_a_run_from_its_lock(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr('os.pwrite', refuse)
    with output_lock(tmp_path / 'd.h5'):
        message = r'Another run still works in .*d\.h5\. Wait'
        with pytest.raises(OutputInUseError, match=message), output_lock(tmp_path / 'd.h5'):
            pass
