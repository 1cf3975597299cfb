"""The manifest: a line per finished video, written by several processes, read after a kill."""

import json
import multiprocessing
from pathlib import Path

import pytest

from mmdistill.extraction.jobs import Job
from mmdistill.extraction.manifest import check_settings, entries_of, read_manifest, record


def make_job(folder: Path, name: str, result: str = 'out') -> Job:
    path = folder / f'{name}.mp4'
    path.write_bytes(b'video')
    return Job(name, path, folder / result / name, 10, 2.5)


def test_an_entry_says_what_how_and_when(tmp_path):
    job = make_job(tmp_path, 'a')
    record(job, dict(bound=20.0), 10, 1234, samples=7)
    [(name, entry)] = read_manifest(tmp_path / 'out/manifest.jsonl').items()
    assert name == 'a' and entry['settings'] == dict(bound=20.0)
    assert (entry['source'], entry['source_bytes']) == (str(job.path), 5)
    assert (entry['frames'], entry['bytes'], entry['seconds'], entry['samples']) == (
        10,
        1234,
        2.5,
        7,
    )
    assert entry['made'].endswith('+00:00')
    assert {'mmdistill', 'opencv', 'av', 'torch'} <= entry['versions'].keys()


def test_the_last_entry_of_a_video_counts(tmp_path):
    for size in (1, 2):
        record(make_job(tmp_path, 'a'), {}, 10, size)
    record(make_job(tmp_path, 'b'), {}, 10, 3)
    found = read_manifest(tmp_path / 'out/manifest.jsonl')
    assert {name: entry['bytes'] for name, entry in found.items()} == dict(a=2, b=3)


def test_a_line_that_was_cut_short_spoils_no_other(tmp_path):
    path = tmp_path / 'out/manifest.jsonl'
    record(make_job(tmp_path, 'a'), {}, 10, 1)
    with path.open('a') as file:
        file.write('{"video": "torn", "fra')
    record(make_job(tmp_path, 'b'), {}, 10, 1)
    assert sorted(read_manifest(path)) == ['a', 'b']


def _record_many(folder: Path, letter: str) -> None:
    for number in range(40):
        record(make_job(folder, f'{letter}{number}'), dict(text='x' * 5000), 10, 1)


def test_processes_do_not_write_into_each_other(tmp_path):
    context = multiprocessing.get_context('fork')
    processes = [context.Process(target=_record_many, args=(tmp_path, x)) for x in 'abc']
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    lines = (tmp_path / 'out/manifest.jsonl').read_text().splitlines()
    assert len({json.loads(line)['video'] for line in lines}) == len(lines) == 120


def test_entries_of_jobs_in_several_places(tmp_path):
    jobs = [make_job(tmp_path, 'a', 'P01'), make_job(tmp_path, 'b', 'P02')]
    for job in jobs:
        record(job, {}, 10, 1)
    other = make_job(tmp_path, 'c', 'P02')
    assert sorted(entries_of([*jobs, other])) == ['a', 'b']
    assert read_manifest(tmp_path / 'none.jsonl') == {}


def test_settings_that_differ_are_named_with_both_values(tmp_path):
    check_settings(tmp_path, dict(size=[1, 2]), dict(size=(1, 2)))  # as JSON they are the same
    with pytest.raises(ValueError, match=r'differing: bound is 20 there, 10 now; side is None'):
        check_settings(tmp_path, dict(bound=20, x=1), dict(bound=10, x=1, side=4))
    with pytest.raises(ValueError, match='unknown settings'):
        check_settings(tmp_path, None, {})
