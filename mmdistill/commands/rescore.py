"""Compute every metric from a dump: `mmdistill rescore scores.npz`.

The dump comes from `mmdistill test --dump`; the numbers are those that run printed.
"""

import argparse
import json
from collections.abc import Sequence

from ..evaluation.score_groups import checked_scores_of
from ..metrics import (
    ScoreTable,
    divided_by_temperature,
    interval_ends,
    table_intervals,
    table_metrics,
)
from ..models.temperature import read_temperatures
from ..ranges import BINS, NO_RESAMPLES, ONE_OR_MORE
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('scores', help='the .npz file')
    parser.add_argument(
        '--topk', type=ONE_OR_MORE, nargs='+', default=[1, 5], help='k of the accuracies'
    )
    parser.add_argument('--num-bins', type=BINS, default=15, help='bins of the calibration errors')
    parser.add_argument(
        '--intervals',
        type=NO_RESAMPLES,
        nargs='?',
        const=1000,
        default=0,
        metavar='RESAMPLES',
        help='add the 95 %% interval of every metric, a bootstrap over videos (1000)',
    )
    parser.add_argument(
        '--temperatures',
        metavar='FILE',
        help='divide the logits by the temperatures in a published checkpoint or in the .json of '
        'mmdistill temperature-scaling',
    )
    return parser.parse_args(argv)


def rescore(
    table: ScoreTable, topk: Sequence[int] = (1, 5), num_bins: int = 15, num_resamples: int = 0
) -> dict[str, float]:
    """All metrics of a dump, under the names that `mmdistill test` gives them."""
    metrics = table_metrics(table, topk, num_bins)
    if num_resamples:
        metrics |= interval_ends(table_intervals(table, num_resamples, num_bins, topk))
    return metrics


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Print the metrics as JSON."""
    args = parse_args(argv)
    table = checked_scores_of(args.scores)
    if args.temperatures:
        table = divided_by_temperature(table, read_temperatures(args.temperatures))
    metrics = rescore(table, args.topk, args.num_bins, args.intervals)
    print(json.dumps(dict(sorted(metrics.items())), indent=2))
