"""The figures at the end of an extraction, against ones worked by hand."""

from pathlib import Path

import pytest

from mmdistill.extraction.jobs import Job, RunReport
from mmdistill.extraction.throughput import readable, summary_lines


def test_figures_worked_by_hand():
    jobs = [Job(name, Path(name), Path(name), 3000, 60.0) for name in 'ab']
    lines = summary_lines(RunReport(processed=jobs, seconds=40.0), 5_000_000, 180.0)
    assert lines == [
        '6000 frames in 40.0 s: 150.0 frames/s, 3.00 hours of video per hour.',
        'On disk: 5 MB for 0.050 hours of video, 100 MB per hour.',
        '100 hours of such video, on as many workers: 33.3 hours of work and 10 GB.',
    ]


def test_a_run_with_nothing_to_do_tells_the_disk_only():
    lines = summary_lines(RunReport(), 1000, 3600.0)
    assert [line.split(':')[0] for line in lines] == [
        'On disk',
        '100 hours of such video, on as many workers',
    ]
    assert summary_lines(RunReport(), 0, 0.0) == []


@pytest.mark.parametrize(
    ('num_bytes', 'expected'), [(0, '0 B'), (999, '999 B'), (1500, '1.5 kB'), (2e12, '2 TB')]
)
def test_readable(num_bytes, expected):
    assert readable(num_bytes) == expected
