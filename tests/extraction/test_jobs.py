"""run_jobs: ranks and workers share the jobs, failures are kept, nothing is done twice."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mmdistill.extraction.jobs import Job, report_failures, run_jobs
from mmdistill.video import VideoError


def make_jobs(folder, count=5):
    return [Job(f'v{i}', folder / f'v{i}.mp4', folder / 'out' / f'v{i}', 10) for i in range(count)]


def write_name(worker):
    def process(job, advance):
        if job.name == 'v1' and not (job.result.parent / 'repaired').exists():
            raise VideoError('v1.mp4 is damaged')
        with open(job.result, 'a') as file:
            file.write(job.name)
        advance(10)

    return process


def test_failures_are_kept_and_repaired_by_the_next_run(tmp_path, capsys):
    jobs = make_jobs(tmp_path)
    report = run_jobs(write_name, jobs, workers=0)
    assert report.failures == {'v1': 'v1.mp4 is damaged'} and report.complete
    assert report_failures(report, len(jobs)) == 1
    assert 'FAILED v1: v1.mp4 is damaged\n1 of 5 videos failed' in capsys.readouterr().out

    (tmp_path / 'out' / 'repaired').touch()
    report = run_jobs(write_name, jobs, workers=0)
    assert report_failures(report, len(jobs)) == 0
    assert {job.result.read_text() for job in jobs} == {job.name for job in jobs}  # each once
    assert '1 videos, 10 frames (4 done before)' in capsys.readouterr().out
    assert not list(tmp_path.glob('out/.*'))


def test_done_elsewhere_counts_as_done(tmp_path):
    jobs = [Job('v0', tmp_path, tmp_path / 'out' / 'v0', 10, done_before=True)]
    assert run_jobs(write_name, jobs, workers=0).complete
    assert not jobs[0].result.exists()


def test_ranks_share_the_videos_and_the_last_one_reports(tmp_path, monkeypatch, capsys):
    jobs, done = make_jobs(tmp_path), []
    monkeypatch.setenv('WORLD_SIZE', '2')
    codes = []
    for rank, order in (('0', jobs), ('1', list(reversed(jobs)))):
        monkeypatch.setenv('RANK', rank)
        report = run_jobs(write_name, order[1:] + order[:1], workers=0)
        codes.append(report_failures(report, len(jobs)))
        done.append({job.name for job in jobs if job.result.exists()})
    assert done == [{'v0', 'v2', 'v4'}, {'v0', 'v2', 'v3', 'v4'}]
    assert codes == [0, 1]
    assert 'Other ranks are still at work' in capsys.readouterr().out


def test_a_fault_of_the_program_is_no_damaged_video(tmp_path):
    def broken(worker):
        return lambda job, advance: 1 / 0

    with pytest.raises(ZeroDivisionError):
        run_jobs(broken, make_jobs(tmp_path), workers=0)


SLOW_JOBS = """
import os, sys, time
from pathlib import Path
from mmdistill.extraction.jobs import Job, run_jobs

OUT = Path(sys.argv[1])

def setup(worker):
    (OUT / f'worker{worker}').write_text(str(os.getpid()))
    return lambda job, advance: time.sleep(300)

if __name__ == '__main__':
    run_jobs(setup, [Job(f'v{i}', OUT, OUT / f'v{i}', 1) for i in range(3)], workers=2)
"""


def test_workers_die_with_a_killed_main_process(tmp_path):
    """Orphans would write the same files as the restarted run."""
    script = tmp_path / 'slow_jobs.py'
    script.write_text(SLOW_JOBS)
    # The package may not be installed, only importable here.
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    main = subprocess.Popen([sys.executable, str(script), str(tmp_path)], env=env)
    try:
        wait_until(lambda: all((tmp_path / f'worker{i}').exists() for i in (0, 1)), seconds=120)
        time.sleep(0.2)
        workers = [int((tmp_path / f'worker{i}').read_text()) for i in (0, 1)]
        assert len({main.pid, *workers}) == 3
    finally:
        main.send_signal(signal.SIGKILL)
        main.wait()
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
