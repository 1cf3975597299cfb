"""Compute every metric from a dump: `python tools/analysis/rescore.py scores.npz`.

The dump comes from `tools/test.py --dump`; the numbers are those that run printed.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import mmdistill  # noqa: F401  (repairs upstream first)
from mmdistill.metrics import calibration_errors, load_scores, task_accuracies


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('scores', help='the .npz file')
    parser.add_argument('--topk', type=int, nargs='+', default=[1, 5], help='k of the accuracies')
    parser.add_argument('--num-bins', type=int, default=15, help='bins of the calibration errors')
    return parser.parse_args(argv)


def rescore(path: str, topk: Sequence[int] = (1, 5), num_bins: int = 15) -> dict[str, float]:
    """All metrics of a dump, under the names that `tools/test.py` gives them."""
    table = load_scores(path)
    accuracies = task_accuracies(table, 'logits', topk)
    errors = calibration_errors(table, 'logits', num_bins)
    return {f'acc/{name}': value for name, value in accuracies.items()} | {
        f'calibration/{name}': value for name, value in errors.items()
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Print the metrics as JSON."""
    args = parse_args(argv)
    if not Path(args.scores).is_file():
        raise SystemExit(
            f'There is no dump {args.scores}: write one with `python tools/test.py … --dump`.'
        )
    print(
        json.dumps(dict(sorted(rescore(args.scores, args.topk, args.num_bins).items())), indent=2)
    )


if __name__ == '__main__':
    main()
