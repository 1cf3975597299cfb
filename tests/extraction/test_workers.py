"""Workers: what is no fault of a video ends the run at once, and nobody outlives it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmdistill.extraction.jobs import Job, run_jobs
from mmdistill.extraction.workers import worker_pool


def make_jobs(folder: Path, names: str) -> list[Job]:
    return [Job(name, folder / f'{name}.mp4', folder / 'out' / name, 1) for name in names]


def set_up(worker):
    """Job `b` is a bug, `k` kills its process, `s` is slow, and the others write their names."""

    def process(job, advance):
        job.partial.write_text(job.name)
        if job.name == 'b':
            time.sleep(1)  # the first one has finished
            raise ModuleNotFoundError('No module named decoder')
        if job.name == 'k':
            os.kill(os.getpid(), signal.SIGKILL)
        if job.name == 's':
            time.sleep(120)
        job.put_in_place()

    return process


def cannot_set_up(worker):
    raise KeyError(f'weights of worker {worker}')


def test_a_bug_ends_the_run_at_once_and_keeps_what_is_finished(tmp_path):
    began = time.monotonic()
    with pytest.raises(ModuleNotFoundError, match='decoder'):
        run_jobs(set_up, make_jobs(tmp_path, 'abszz'), workers=2)
    assert time.monotonic() - began < 60
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['a']


def test_a_worker_that_cannot_be_prepared_says_why(tmp_path):
    with pytest.raises(KeyError, match='weights of worker 0'):
        run_jobs(cannot_set_up, make_jobs(tmp_path, 'a'), workers=1)


def test_a_video_that_kills_its_worker_is_named_and_the_others_are_done(tmp_path):
    report = run_jobs(set_up, make_jobs(tmp_path, 'ackxyz'), workers=2)
    assert list(report.failures) == ['k'] and report.complete
    assert 'k.mp4 killed the process that worked on it' in report.failures['k']
    done = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert done == ['.k.failed', 'a', 'c', 'x', 'y', 'z']


def test_a_pool_that_is_left_by_an_error_ends_its_processes():
    with pytest.raises(ZeroDivisionError), worker_pool(1, 'fork') as pool:
        running = pool.submit(time.sleep, 120)
        while not running.running():
            time.sleep(0.05)
        raise ZeroDivisionError


SLOW_JOBS = """
import os, sys, time
from pathlib import Path
from mmdistill.extraction.jobs import Job, run_jobs
from mmdistill.user_errors import one_line_errors

OUT = Path(sys.argv[1])
SECONDS = float(sys.argv[2])

def setup(worker):
    (OUT / f'worker{worker}').write_text(str(os.getpid()))
    return work

def work(job, advance):
    time.sleep(0 if job.name == 'v0' else SECONDS)
    job.result.touch()

@one_line_errors
def main():
    run_jobs(setup, [Job(f'v{i}', OUT, OUT / f'v{i}', 1) for i in range(3)], workers=2)

if __name__ == '__main__':
    main()
"""


@pytest.fixture
def script(tmp_path):
    """Command of three jobs on two workers; the first one takes no time."""
    path = tmp_path / 'slow_jobs.py'
    path.write_text(SLOW_JOBS)
    return [sys.executable, str(path), str(tmp_path)]


def start(command: list[str], folder: Path) -> tuple[subprocess.Popen, list[int]]:
    """The main process in a process group of its own, and its workers, when they are at work."""
    # The package may not be installed, only importable here.
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    main = subprocess.Popen(
        command, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    files = [folder / f'worker{i}' for i in (0, 1)]
    wait_until(lambda: (folder / 'v0').exists() and all(f.exists() for f in files), seconds=120)
    time.sleep(0.2)
    workers = [int(file.read_text()) for file in files]
    assert len({main.pid, *workers}) == 3
    return main, workers


@pytest.mark.slow
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_in_one_line_and_the_same_command_continues(tmp_path, script, number):
    main, workers = start([*script, '300'], tmp_path)
    os.killpg(main.pid, number)  # as a terminal and a scheduler do
    _, err = main.communicate(timeout=30)
    assert main.returncode == 128 + number
    assert len(err.splitlines()) == 1 and 'the same command continues' in err
    wait_until(lambda: not any(is_running(pid) for pid in workers), seconds=10)
    done = (tmp_path / 'v0').stat().st_mtime_ns
    assert subprocess.run([*script, '0'], check=False).returncode == 0
    assert (tmp_path / 'v0').stat().st_mtime_ns == done and (tmp_path / 'v2').exists()


def test_workers_die_with_a_killed_main_process(tmp_path, script):
    """Orphans would write the same files as the restarted run."""
    main, workers = start([*script, '300'], tmp_path)
    main.send_signal(signal.SIGKILL)
    main.communicate()
    wait_until(lambda: not any(is_running(pid) for pid in workers), seconds=30)


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
