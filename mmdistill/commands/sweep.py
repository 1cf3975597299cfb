"""Train a student at every point of a grid, taught by one teacher cache, and compare them.

    mmdistill sweep configs/student.py --cache DIR --grid gamma=0.3,1 lambda=0.5,0.9

Axes are temperature, lambda, gamma, weighting, experts, student, or any key of the config. Run it
again after an interruption, or with more values and seeds: what is finished is kept as long as its
command, its config and the cache are the same.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..config_options import KeyValues
from ..evaluation.report_data import read_metrics
from ..evaluation.sweep_table import (
    RUNS,
    STD,
    Row,
    best_row,
    main_metrics,
    sweep_figure,
    sweep_rows,
    to_csv,
)
from ..files import write_whole
from ..locks import output_lock
from ..places import check_output
from ..ranges import ONE_OR_MORE, SEED
from ..stages import RunSummary, run_chain
from ..stages.sweep_chain import (
    SweepRun,
    SweepSettings,
    sweep_runs,
    sweep_stages,
    write_configs,
)
from ..stages.sweep_grid import SPLITS
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='config of a distillation')
    parser.add_argument('--cache', type=Path, required=True, help='what cache_teacher.py wrote')
    parser.add_argument(
        '--grid',
        nargs='+',
        action=KeyValues,
        required=True,
        metavar='AXIS=V1,V2',
        help='temperature, lambda, gamma, weighting, experts, student, or a key of the config',
    )
    parser.add_argument('--seeds', type=SEED, nargs='+', default=[0], help='of the trainings')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/sweep'))
    parser.add_argument(
        '--split',
        choices=SPLITS,
        default=SPLITS[0],
        help='clips on which points are compared: the holdout spares the test clips',
    )
    parser.add_argument('--jobs', type=ONE_OR_MORE, default=1, help='trainings side by side')
    parser.add_argument(
        '--cfg-options', nargs='+', action=KeyValues, default={}, help='shared by all points'
    )
    return parser.parse_args(argv)


def collect(runs: list[SweepRun], summary: RunSummary) -> list[Row]:
    """The rows of the table, of what has been tested in this run or before."""
    return sweep_rows(
        (run.point, read_metrics(run.metrics)['metrics'] if run.test in summary.seconds else None)
        for run in runs
    )


def write(rows: list[Row], axes: list[str], work_dir: Path) -> None:
    """Write `sweep.csv` and `sweep.png`."""
    write_whole(work_dir / 'sweep.csv', to_csv(rows, axes).encode())
    metrics = main_metrics(rows)
    if metrics:
        image = io.BytesIO()
        sweep_figure(rows, axes, metrics).savefig(image, format='png', dpi=150)
        write_whole(work_dir / 'sweep.png', image.getvalue())


def show(console: Console, rows: list[Row], axes: list[str], split: str) -> None:
    """The table's main metrics, in percent; the best point stands out."""
    metrics = main_metrics(rows)
    table = Table(title=f'Mean ± standard deviation on the {split} clips, %', header_style='bold')
    for axis in axes:
        table.add_column(escape(axis))
    for name in (RUNS, *metrics):
        table.add_column(name, justify='right')
    best = best_row(rows, metrics[0]) if metrics else None
    for row in rows:
        cells = [escape(str(row.get(axis, ''))) for axis in axes]
        cells += [str(row[RUNS]), *(_percent(row, name) for name in metrics)]
        table.add_row(*cells, style='bold' if row is best else '')
    console.print(table)


def _percent(row: Row, name: str) -> str:
    if name not in row:
        return 'failed'
    spread = f' ± {100 * row[name + STD]:.1f}' if name + STD in row else ''
    return f'{100 * row[name]:.1f}{spread}'


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Run what is not finished, then write and show the table."""
    args = parse_args(argv)
    check_output(args.work_dir, folder=True)
    settings = SweepSettings(
        config=args.config,
        cache=args.cache,
        grid=args.grid,
        work_dir=args.work_dir,
        seeds=tuple(dict.fromkeys(args.seeds)),
        split=args.split,
        options=args.cfg_options,
    )
    runs = sweep_runs(settings)
    with output_lock(args.work_dir, inside='sweep'):
        write_configs(settings, runs)
        # One student that diverges must not keep the others from being trained.
        summary = run_chain(sweep_stages(settings, runs), min(args.jobs, os.cpu_count() or 1), True)
        rows, axes = collect(runs, summary), list(args.grid)
        write(rows, axes, args.work_dir)
    show(Console(), rows, axes, args.split)
    print(f'Wrote {args.work_dir}/sweep.csv and sweep.png')
    if summary.failed:
        first = next(iter(summary.failed.values()))
        sys.exit(f'{len(summary.failed)} stages failed: {list(summary.failed)}. {first}')
