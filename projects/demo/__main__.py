"""The whole path on rendered data: render, extract, train experts, distil, test, report.

Run it again after an interruption or a change: finished stages are skipped as long as their
command, their configs and the stages before them are the same.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

import mmdistill  # noqa: F401  (repairs upstream before anything else is imported)
from mmdistill.places import check_output
from mmdistill.ranges import COUNT, ONE_OR_MORE, SEED, TRAIN_CLIPS, VAL_CLIPS
from mmdistill.stages import RunSummary, run_chain
from mmdistill.stages.display import clock, gigabytes
from mmdistill.user_errors import one_line_errors

from .chain.demo_chain import (
    DemoSettings,
    data_stages,
    evidence_stages,
    report_stage,
    training_stages,
)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    defaults = DemoSettings()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', type=Path, default=defaults.work_dir)
    parser.add_argument('--data-root', type=Path, default=defaults.data_root)
    parser.add_argument(
        '--train', type=TRAIN_CLIPS, default=defaults.num_train, help='training clips'
    )
    parser.add_argument(
        '--unlabelled', type=COUNT, default=defaults.num_unlabelled, help='without labels'
    )
    parser.add_argument('--val', type=VAL_CLIPS, default=defaults.num_val, help='validation clips')
    parser.add_argument('--seed', type=SEED, default=defaults.seed, help='of the trainings')
    parser.add_argument(
        '--data-seed', type=SEED, default=defaults.data_seed, help='of the renderer'
    )
    parser.add_argument('--configs', type=Path, default=defaults.configs, help='folder of configs')
    parser.add_argument(
        '--jobs',
        type=ONE_OR_MORE,
        default=min(2, os.cpu_count() or 1),
        help='stages that may run side by side; each adds to the memory in use',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='handed to every training and test, such as train_cfg.max_epochs=1',
    )
    return parser.parse_args(argv)


def print_rows(console: Console, report: dict) -> None:
    """The report's table, in percent."""
    table = Table(title='Validation, in percent', header_style='bold')
    table.add_column('', no_wrap=True)
    columns = {
        'verb': 'acc/verb/top1',
        'noun': 'acc/noun/top1',
        'action': 'acc/action/top1',
        'top-5': 'acc/action/top5',
        'ECE': 'calibration/action/ece',
    }
    for title in (*columns, 'params, M', 'GFLOPs', 'ms'):
        table.add_column(title, justify='right')
    for row in report['rows']:
        table.add_row(
            escape(row['title']),
            *(f'{100 * row[key]:.1f}' if key in row else '' for key in columns.values()),
            f'{row["params"] / 1e6:.2f}',
            f'{row["flops"] / 1e9:.2f}',
            f'{row["latency_ms"]:.0f}',
            style='bold' if row['role'] == 'student' else '',
        )
    console.print(table)


def print_stages(console: Console, summary: RunSummary) -> None:
    """Time and memory per stage."""
    table = Table(title='Time and memory', header_style='bold')
    table.add_column('stage')
    table.add_column('time', justify='right')
    table.add_column('peak memory', justify='right')
    for name, seconds in summary.seconds.items():
        note = ' (before)' if name in summary.skipped else ''
        table.add_row(name + note, clock(seconds), gigabytes(summary.peak_bytes[name]))
    if summary.total_peak_bytes:
        total = gigabytes(summary.total_peak_bytes)
        table.add_row('this run, all together', clock(summary.total_seconds), total, style='bold')
    console.print(table)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Run the chain, and show what it found."""
    args = parse_args(argv)
    for folder in (args.work_dir, args.data_root):
        check_output(folder, folder=True)
    settings = DemoSettings(
        data_root=args.data_root,
        work_dir=args.work_dir,
        num_train=args.train,
        num_val=args.val,
        num_unlabelled=args.unlabelled,
        data_seed=args.data_seed,
        seed=args.seed,
        cfg_options=tuple(args.cfg_options),
        configs=args.configs,
    )
    tests = [*training_stages(settings), *evidence_stages(settings)]
    stages = [*data_stages(settings), *tests, report_stage(settings)]
    console = Console()
    summary = run_chain(stages, args.jobs)
    print_stages(console, summary)
    print_rows(console, json.loads((args.work_dir / 'report.json').read_text()))
    console.print(f'Report: {args.work_dir / "report.html"}', markup=False)


if __name__ == '__main__':
    main()
