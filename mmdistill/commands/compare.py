"""Compare models on the same clips: `mmdistill compare RUN_A RUN_B …`.

A run is a dump of `mmdistill test --dump`, or the folder that holds it as `scores.npz`; several
seeds of one model are `NAME=PATH,PATH`. Every run is compared with the first one.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from ..config_options import KeyValues
from ..datasets.annotation_csv import read_class_names
from ..evaluation.comparison import compare_groups
from ..evaluation.comparison_text import comparison_markdown
from ..evaluation.score_groups import load_groups
from ..files import write_whole
from ..places import check_output
from ..ranges import RESAMPLES
from ..user_errors import one_line_errors

NAME_COLUMNS = ('key', 'name')  # of EPIC-KITCHENS, and of one's own


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+', metavar='RUN', help='[NAME=]PATH[,PATH…]')
    parser.add_argument(
        '--experts',
        nargs='+',
        default=[],
        metavar='RUN',
        help='tell from which of these the runs have learned what the first one does not know',
    )
    parser.add_argument(
        '--classes',
        nargs='+',
        action=KeyValues,
        default={},
        metavar='TASK=CSV',
        help='files with the names of the classes',
    )
    parser.add_argument('--out', type=Path, help='folder for comparison.json and comparison.md')
    parser.add_argument('--resamples', type=RESAMPLES, default=10_000, help='of the bootstrap')
    args = parser.parse_args(argv)
    if len(args.runs) < 2:
        parser.error(f'expected at least two runs, got {args.runs}')
    return args


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Compare, show, and write what was asked for."""
    args = parse_args(argv)
    if args.out:
        check_output(args.out, folder=True)
    groups = load_groups([*args.runs, *args.experts])
    runs, experts = groups[: len(args.runs)], groups[len(args.runs) :]
    names = {task: read_class_names(path, NAME_COLUMNS) for task, path in args.classes.items()}
    result = compare_groups(runs, experts, args.resamples)
    text = comparison_markdown(result, names)
    Console().print(Markdown(text))
    if args.out:
        content = json.dumps(result, indent=2) + '\n'
        write_whole(args.out / 'comparison.json', content.encode())
        write_whole(args.out / 'comparison.md', text.encode())
        print(f'Wrote {args.out}/comparison.json and comparison.md')
