"""Train and test every row of docs/results with several seeds, and write its tables and figures.

    python -m projects.demo.results --out docs/results
    python -m projects.demo.results --rows student smoothed --seeds 3

Run it again after an interruption: what is finished is kept as long as its command, its config and
what it builds on are the same. `--finished` trains nothing and shows what is there.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import mmdistill  # noqa: F401  (repairs upstream first)
from mmdistill.evaluation import aligned
from mmdistill.evaluation.measure import machine_name
from mmdistill.evaluation.view_table import ModelViews, views_markdown, views_plot
from mmdistill.files import write_whole
from mmdistill.metrics import ScoreTable, load_scores, score_views
from mmdistill.places import check_output
from mmdistill.ranges import ONE_OR_MORE, RESAMPLES, SEEDS
from mmdistill.stages import finished_runs, run_chain
from mmdistill.user_errors import one_line_errors

from .chain.demo_chain import DemoSettings
from .chain.fused_scores import fused_scores
from .chain.measured_rows import RowResult, mean_views, measure_row, results_csv
from .chain.results_chain import ResultsSettings, measured_seeds, results_stages, row_config
from .chain.results_figures import changes_plot
from .chain.results_rows import BASELINE, ResultRow, read_rows, select_rows
from .chain.results_text import results_markdown, weights_markdown


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    defaults = DemoSettings()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', nargs='?', default=ResultsSettings(defaults).config)
    parser.add_argument('--rows', nargs='+', help='some rows of the config; default: all')
    parser.add_argument('--seeds', type=SEEDS, default=5, help='number of seeds: 0, 1, ...')
    parser.add_argument('--work-dir', type=Path, default=ResultsSettings(defaults).work_dir)
    parser.add_argument('--out', type=Path, help='folder of tables and figures (the work dir)')
    parser.add_argument('--demo-dir', type=Path, default=defaults.work_dir)
    parser.add_argument('--data-root', type=Path, default=defaults.data_root)
    parser.add_argument('--jobs', type=ONE_OR_MORE, default=min(2, os.cpu_count() or 1))
    parser.add_argument('--resamples', type=RESAMPLES, default=10_000, help='of the bootstrap')
    parser.add_argument('--finished', action='store_true', help='train nothing')
    return parser.parse_args(argv)


def measure(
    settings: ResultsSettings, rows: Mapping[str, ResultRow], finished: set[str], resamples: int
) -> list[RowResult]:
    """Every row that is finished with a seed or more."""
    baseline = read_rows(settings.load())[BASELINE]
    seeds = measured_seeds(settings, baseline, finished)
    if not seeds:
        raise FileNotFoundError('The baseline is not finished with any seed, so nothing is shown.')
    first = load_scores(settings.folder(BASELINE, seeds[0]) / 'scores.npz').sample_ids

    @cache
    def scores(name: str, seed: int) -> ScoreTable:
        return aligned(load_scores(settings.folder(name, seed) / 'scores.npz'), first)

    results = []
    for row in rows.values():
        tables, weights = {}, []
        for seed in sorted(set(seeds) & set(measured_seeds(settings, row, finished))):
            if row.kind == 'teacher':
                teacher = row_config(settings, row, seed).teacher
                experts = {name: scores(name, seed) for name in teacher.experts}
                fused = fused_scores(settings.cache(seed), teacher.weighting, experts)
                tables[seed] = fused.table
                weights.append(fused.weights)
            else:
                tables[seed] = scores(row.name, seed)
        if tables:
            against = {seed: scores(BASELINE, seed) for seed in tables}
            results.append(measure_row(row, tables, against, resamples, weights))
    return results


def measure_views(settings: ResultsSettings, finished: set[str]) -> ModelViews:
    """Title of a row to its accuracy and calibration by number of views, mean over the seeds."""
    cfg = settings.load()
    rows, asked = read_rows(cfg), cfg.views
    found = {}
    for name in asked['of']:
        tables = [
            load_scores(settings.folder(name, seed, 'views') / 'scores.npz')
            for seed in range(settings.num_seeds)
            if f'seed{seed}_views_{name}' in finished
        ]
        if tables:
            each = [score_views(table, asked['clips'], asked['crops']) for table in tables]
            found[f'{rows[name].name}, {len(tables)} seeds'] = mean_views(each)
    return found


def write(out: Path, results: list[RowResult], views: ModelViews, table: ScoreTable) -> None:
    """Write tables and figures; what is there is replaced."""
    said = (
        f'{len(table.sample_ids)} test clips of {len(set(table.groups.tolist()))} videos, percent '
        '(NLL: nats), mean ± standard deviation over seeds. Change: against the RGB baseline of '
        'the same seeds, with the 95 % interval of a paired bootstrap over videos. '
        f'Machine: {machine_name()}.\n'
    )
    parts = ['# Tables\n', said, results_markdown(results), weights_markdown(results)]
    if views:
        write_whole(out / 'views.md', f'# Views\n\n{views_markdown(views, "action")}'.encode())
        write_whole(out / 'views.svg', views_plot(views, 'action').encode())
    write_whole(out / 'tables.md', '\n'.join(part for part in parts if part).encode())
    write_whole(out / 'results.csv', results_csv(results).encode())
    write_whole(out / 'changes.svg', changes_plot(results).encode())


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Run what is not finished, then write what there is."""
    args = parse_args(argv)
    out = args.out or args.work_dir
    for folder in (args.work_dir, out):
        check_output(folder, folder=True)
    demo = DemoSettings(data_root=args.data_root, work_dir=args.demo_dir)
    settings = ResultsSettings(demo, args.config, args.work_dir, args.seeds)
    rows = select_rows(read_rows(settings.load()), args.rows)
    stages = results_stages(settings, rows)
    failed = {}
    if args.finished:
        finished = set(finished_runs(stages))
    else:
        summary = run_chain(stages, args.jobs, True)
        finished, failed = set(summary.seconds), summary.failed
    results = measure(settings, rows, finished, args.resamples)
    seed = next(iter(results[0].metrics))
    table = load_scores(settings.folder(BASELINE, seed) / 'scores.npz')
    write(out, results, measure_views(settings, finished), table)
    print((out / 'tables.md').read_text())
    print(f'Wrote tables.md, views.md, results.csv and figures to {out}')
    if failed:
        sys.exit(f'{len(failed)} stages failed: {list(failed)}. {next(iter(failed.values()))}')


if __name__ == '__main__':
    main()
