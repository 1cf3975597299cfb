"""run_jobs: ranks and workers share the jobs, failures are kept, nothing is done twice."""

import errno
from pathlib import Path

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


def test_a_mark_of_a_video_that_is_done_meanwhile_is_removed(tmp_path):
    jobs = make_jobs(tmp_path)
    run_jobs(write_name, jobs, workers=0)
    assert jobs[1].failure.exists()
    jobs[1].result.touch()  # by another run
    report = run_jobs(write_name, jobs, workers=0)
    assert report.complete and not report.failures and not jobs[1].failure.exists()


def test_a_mark_that_cannot_be_written_does_not_end_the_run(tmp_path, monkeypatch):
    def refuse(path, text):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(Path, 'write_text', refuse)
    jobs = make_jobs(tmp_path)
    report = run_jobs(write_name, jobs, workers=0)
    assert report.failures == {'v1': 'v1.mp4 is damaged'} and report.complete
    assert [job.result.exists() for job in jobs] == [True, False, True, True, True]


def grow_folder(worker):
    """A result is a folder that grows in `partial`; the second one fails, or is killed."""

    def process(job, advance):
        job.partial.mkdir(parents=True)
        (job.partial / 'new').touch()
        if job.name == 'v1':
            raise VideoError('v1.mp4 is damaged')
        job.put_in_place()

    return process


def test_a_result_stays_until_the_new_one_is_complete(tmp_path):
    jobs = make_jobs(tmp_path, 3)
    for job in jobs:
        job.result.mkdir(parents=True)
        (job.result / 'old').touch()
    report = run_jobs(grow_folder, jobs, workers=0, overwrite=True)
    assert report.failures == {'v1': 'v1.mp4 is damaged'}
    there = {str(p.relative_to(tmp_path / 'out')) for p in tmp_path.glob('out/v*/*')}
    assert there == {'v0/new', 'v1/old', 'v2/new'}
    assert {p.name for p in tmp_path.glob('out/.*')} == {'.v1.failed'}


@pytest.mark.parametrize('killed', ['before', 'between', 'after'])
def test_a_kill_while_results_change_places_loses_none(tmp_path, killed):
    [job] = make_jobs(tmp_path, 1)
    place = job.replaced if killed != 'before' else job.result
    for folder, name in ((place, 'old'), (job.partial, 'new')):
        folder.mkdir(parents=True)
        (folder / name).touch()
    if killed == 'after':
        job.partial.rename(job.result)
    job.tidy()
    expected = 'new' if killed == 'after' else 'old'
    assert [p.relative_to(job.result.parent).parts for p in tmp_path.glob('out/**/*')] == [
        ('v0',),
        ('v0', expected),
    ]
