"""What an extraction took, what it left on the disk, and what 100 hours would mean."""

from collections.abc import Sequence

from .jobs import Job, RunReport
from .manifest import entries_of

HOUR = 3600.0
# As long as EPIC-KITCHENS-100.
ESTIMATE_HOURS = 100


def print_summary(report: RunReport, jobs: Sequence[Job], num_bytes: int | None = None) -> None:
    """Print the end of a run.

    Args:
        jobs: Of all ranks.
        num_bytes: On disk; by default the sum of what the manifest says.
    """
    entries = entries_of(jobs).values()
    if num_bytes is None:
        num_bytes = sum(entry['bytes'] for entry in entries)
    for line in summary_lines(report, num_bytes, sum(entry['seconds'] for entry in entries)):
        print(line)


def summary_lines(report: RunReport, num_bytes: int, seconds: float) -> list[str]:
    """Sentences for the end of a run.

    Args:
        report: Of this rank; its throughput is that of its workers alone.
        num_bytes: On disk, of all videos that are done.
        seconds: Their length.
    """
    lines = []
    worked = max(report.seconds, 1e-9)
    speed = sum(job.seconds for job in report.processed) / worked
    if report.processed:
        frames = sum(job.size for job in report.processed)
        lines.append(
            f'{frames} frames in {report.seconds:.1f} s: {frames / worked:.1f} frames/s, '
            f'{speed:.2f} hours of video per hour.'
        )
    if not seconds:
        return lines
    per_hour = num_bytes * HOUR / seconds
    lines.append(
        f'On disk: {readable(num_bytes)} for {seconds / HOUR:.3f} hours of video, '
        f'{readable(per_hour)} per hour.'
    )
    took = f'{ESTIMATE_HOURS / speed:.1f} hours of work and ' if speed else ''
    lines.append(
        f'{ESTIMATE_HOURS} hours of such video, on as many workers: {took}'
        f'{readable(ESTIMATE_HOURS * per_hour)}.'
    )
    return lines


def readable(num_bytes: float) -> str:
    """Bytes in the unit that gives one to four digits."""
    for unit in ('B', 'kB', 'MB', 'GB'):
        if num_bytes < 1000:
            return f'{num_bytes:.3g} {unit}'
        num_bytes /= 1000
    return f'{num_bytes:.3g} TB'
