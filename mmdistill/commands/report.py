"""Write a report over your own runs: one HTML page, and its tables as Markdown, LaTeX and JSON.

    mmdistill report configs/report.py --out work_dirs/report

The config names the models and where mmdistill test wrote about them; docs/report.md shows one.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..config_options import KeyValues
from ..evaluation import read_report_config
from ..evaluation.report import add_costs, build_report, read_inputs, write_report
from ..evaluation.scaling_table import at_the_limit
from ..places import check_output
from ..ranges import NO_RESAMPLES
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config of the report')
    parser.add_argument(
        '--out',
        type=Path,
        help='folder of report.html, .json, .md and .tex, which are replaced; default: the '
        "config's work_dir, or work_dirs/<config name>",
    )
    parser.add_argument(
        '--resamples', type=NO_RESAMPLES, default=1000, help='of the bootstrap over videos'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValues,
        default={},
        help="override settings of the report; data_root and expert_dir also the models'",
    )
    return parser.parse_args(argv)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Read, judge, measure, write."""
    args = parse_args(argv)
    config = read_report_config(args.config, args.cfg_options)
    out = args.out or config.out
    check_output(out, folder=True)
    inputs = read_inputs(config)
    report = build_report(inputs, args.resamples)
    for row in report['rows']:
        for sentence in at_the_limit(row.get('temperatures', {})):
            print(f'warning: {row["title"]}: {sentence}')
    add_costs(report, inputs)
    paths = write_report(report, inputs, out)
    for part in report['left_out']:
        print(f'left out: {part["section"]}: {part["how"]}')
    print(f'Wrote {paths[-1]}, and {", ".join(path.name for path in paths[:-1])} beside it')
