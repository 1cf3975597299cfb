"""Every metric of a table of logits, under the names that tests give them."""

from collections.abc import Sequence

from .bootstrap import Interval
from .calibration import calibration_errors, calibration_intervals
from .score_table import ScoreTable
from .task_accuracy import accuracy_intervals, task_accuracies


def table_metrics(
    table: ScoreTable, topk: Sequence[int] = (1, 5), num_bins: int = 15
) -> dict[str, float]:
    """`acc/…` of `TaskAccuracy` and `calibration/…` of `Calibration`."""
    accuracies = task_accuracies(table, 'logits', topk)
    errors = calibration_errors(table, 'logits', num_bins)
    return {f'acc/{name}': value for name, value in accuracies.items()} | {
        f'calibration/{name}': value for name, value in errors.items()
    }


def table_intervals(
    table: ScoreTable, num_resamples: int = 1000, num_bins: int = 15, topk: Sequence[int] = (1, 5)
) -> dict[str, Interval]:
    """The same with 95 % intervals of a bootstrap over the groups (videos).

    A split of a single group has none.

    Raises:
        ValueError: There are fewer than two groups.
    """
    accuracies = accuracy_intervals(table, 'logits', topk, num_resamples)
    errors = calibration_intervals(table, 'logits', num_bins, num_resamples)
    return {f'acc/{name}': interval for name, interval in accuracies.items()} | {
        f'calibration/{name}': interval for name, interval in errors.items()
    }
