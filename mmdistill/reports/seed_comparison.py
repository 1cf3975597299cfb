"""Student against RGB baseline over several trainings.

Shape legend: S = seeds, N = validation clips.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..metrics import Interval, ScoreTable, load_scores
from .bootstrap import paired_ece_interval, paired_mean_interval
from .predictions import aligned, negative_log_likelihoods, predictions, tasks_of
from .report_data import read_metrics
from .tables import markdown_lines

# How people read a quantity: the factor on its value, and the digits behind the point.
UNITS = {'%': (100.0, 1), 'nats': (1.0, 2)}


class SeedRun(NamedTuple):
    """One training of both models: their metrics and their scores on the same clips."""

    seed: int
    baseline_metrics: dict[str, float]
    student_metrics: dict[str, float]
    baseline: ScoreTable
    student: ScoreTable

    @classmethod
    def load(cls, seed: int, baseline: Path, student: Path) -> 'SeedRun':
        """Read `metrics.json` and `scores.npz` of both folders."""
        table = load_scores(baseline / 'scores.npz')
        return cls(
            seed,
            read_metrics(baseline / 'metrics.json')['metrics'],
            read_metrics(student / 'metrics.json')['metrics'],
            table,
            aligned(load_scores(student / 'scores.npz'), table.sample_ids),
        )


def compare(runs: list[SeedRun], num_resamples: int = 10_000) -> dict[str, Any]:
    """Differences of top-1 and ECE, as fractions, and of NLL, in nats.

    Returns:
        `seeds`, `num_clips`, `num_groups`, `level`, and `rows`: per quantity its values of
        baseline and student by seed, mean and standard deviation (n - 1) of their difference,
        and the interval of the difference over videos.

    Raises:
        ValueError: There are fewer than two runs, or they were tested on different clips.
    """
    if len(runs) < 2:
        raise ValueError(f'A comparison over seeds needs at least two runs, got {len(runs)}.')
    first = runs[0].baseline
    runs = [
        run._replace(
            baseline=aligned(run.baseline, first.sample_ids),
            student=aligned(run.student, first.sample_ids),
        )
        for run in runs
    ]
    rows = []
    for task in tasks_of(first):
        student = _stack([predictions(run.student, task) for run in runs])
        baseline = _stack([predictions(run.baseline, task) for run in runs])
        gain_SN = student[1].astype(float) - baseline[1].astype(float)
        top1 = paired_mean_interval(gain_SN, first.groups, num_resamples)
        ece = paired_ece_interval(student, baseline, first.groups, max(1, num_resamples // 5))
        excess_SN = np.stack(
            [
                negative_log_likelihoods(run.student, task)
                - negative_log_likelihoods(run.baseline, task)
                for run in runs
            ]
        )
        nll = paired_mean_interval(excess_SN, first.groups, num_resamples)
        rows += [
            _row(runs, f'acc/{task}/top1', f'{task} top-1', '%', top1),
            _row(runs, f'calibration/{task}/ece', f'{task} ECE', '%', ece),
            _row(runs, f'calibration/{task}/nll', f'{task} NLL', 'nats', nll),
        ]
    return {
        'seeds': [run.seed for run in runs],
        'num_clips': len(first.sample_ids),
        'num_groups': len(np.unique(first.groups)),
        'level': 0.95,
        'rows': rows,
    }


def _stack(tops: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Confidences (S, N) and correctness (S, N)."""
    return np.stack([top[0] for top in tops]), np.stack([top[1] for top in tops])


def _row(
    runs: list[SeedRun], key: str, title: str, unit: str, interval: Interval
) -> dict[str, Any]:
    baseline_S = np.array([run.baseline_metrics[key] for run in runs])
    student_S = np.array([run.student_metrics[key] for run in runs])
    difference_S = student_S - baseline_S
    return {
        'metric': key,
        'title': title,
        'unit': unit,
        'baseline': baseline_S.tolist(),
        'student': student_S.tolist(),
        'difference_mean': float(difference_S.mean()),
        'difference_std': float(difference_S.std(ddof=1)),
        'interval': [interval.low, interval.high],
    }


def to_markdown(result: dict[str, Any]) -> str:
    """The comparison as a Markdown table, fractions in percent and points."""
    seeds = ', '.join(map(str, result['seeds']))
    head = ['', 'RGB baseline', 'student', 'student − baseline', 'interval']
    said = (
        f'Student against RGB baseline, seeds {seeds}: {result["num_clips"]} validation clips of '
        f'{result["num_groups"]} videos. Mean ± standard deviation over seeds; the interval is a '
        f'paired bootstrap over videos ({100 * result["level"]:.0f} %).'
    )
    rows = []
    for row in result['rows']:
        low, high = (written(bound, row['unit'], '+') for bound in row['interval'])
        difference = _mean_std(row['difference_mean'], row['difference_std'], row['unit'], '+')
        cells = [
            f'{row["title"]}, {row["unit"]}',
            *(
                _mean_std(np.mean(x), np.std(x, ddof=1), row['unit'])
                for x in (row['baseline'], row['student'])
            ),
            difference,
            f'[{low}, {high}]',
        ]
        rows.append(cells)
    return '\n'.join([said, '', *markdown_lines(head, rows)]) + '\n'


def _mean_std(mean: float, std: float, unit: str, sign: str = '') -> str:
    return f'{written(mean, unit, sign)} ± {written(std, unit)}'


def written(value: float, unit: str, sign: str = '') -> str:
    """A fraction in percent ('%') or a number of nats, as tables have it."""
    factor, digits = UNITS[unit]
    return f'{factor * value:{sign}.{digits}f}'.replace('-', '−')
