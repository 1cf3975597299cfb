"""Repeat the demo's trainings with several seeds: is the student better than the RGB baseline?

Prints mean and standard deviation over the seeds of student minus baseline, with a paired
bootstrap interval by video, and writes it as JSON and Markdown. Finished trainings are kept.
"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import mmdistill  # noqa: F401  (repairs upstream first)
from mmdistill.files import write_whole
from mmdistill.places import check_output
from mmdistill.ranges import ONE_OR_MORE, RESAMPLES, SEED, TRAIN_CLIPS, VAL_CLIPS, Range
from mmdistill.reports.seed_comparison import SeedRun, compare, to_markdown
from mmdistill.stages import (
    DemoSettings,
    Stage,
    data_stages,
    is_finished,
    run_chain,
    training_stages,
)
from mmdistill.user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    defaults = DemoSettings()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--seeds', type=Range(2, 1000, whole=True), default=3, help='number of seeds: 0, 1, ...'
    )
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/demo_seeds'))
    parser.add_argument('--demo-dir', type=Path, default=defaults.work_dir)
    parser.add_argument('--data-root', type=Path, default=defaults.data_root)
    parser.add_argument(
        '--train', type=TRAIN_CLIPS, default=defaults.num_train, help='training clips'
    )
    parser.add_argument('--val', type=VAL_CLIPS, default=defaults.num_val, help='validation clips')
    parser.add_argument('--data-seed', type=SEED, default=defaults.data_seed)
    parser.add_argument('--configs', type=Path, default=defaults.configs)
    parser.add_argument('--jobs', type=ONE_OR_MORE, default=min(2, os.cpu_count() or 1))
    parser.add_argument('--resamples', type=RESAMPLES, default=10_000, help='of the bootstrap')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE')
    return parser.parse_args(argv)


def settings_per_seed(args: argparse.Namespace) -> tuple[DemoSettings, list[DemoSettings]]:
    """The demo itself, whose data all seeds share, and a run per seed.

    Seed 0 is the demo where that was finished with the same seed, options and configs.
    """
    demo = DemoSettings(
        data_root=args.data_root,
        work_dir=args.demo_dir,
        num_train=args.train,
        num_val=args.val,
        data_seed=args.data_seed,
        cfg_options=tuple(args.cfg_options),
        configs=args.configs,
    )
    runs = [
        replace(demo, seed=seed, work_dir=args.work_dir / f'seed{seed}')
        for seed in range(args.seeds)
    ]
    if runs and is_finished([*data_stages(demo), *training_stages(demo, teachers=False)]):
        runs[0] = demo
    return demo, runs


def all_stages(demo: DemoSettings, runs: list[DemoSettings]) -> list[Stage]:
    """The demo's data stages, then the trainings and tests of each seed."""
    stages = data_stages(demo)
    shared = {stage.name for stage in stages}
    for run in runs:
        prefix = '' if run is demo else f'seed{run.seed}_'
        for stage in training_stages(run, teachers=False):
            needs = tuple(n if n in shared else prefix + n for n in stage.needs)
            stages.append(replace(stage, name=prefix + stage.name, needs=needs))
    return stages


def seed_run(settings: DemoSettings) -> SeedRun:
    """What testing a seed's baseline and student wrote."""
    folder = settings.work_dir / 'test'
    return SeedRun.load(settings.seed, folder / 'rgb', folder / 'student')


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Train and test what is not finished, then compare."""
    args = parse_args(argv)
    for folder in (args.work_dir, args.demo_dir, args.data_root):
        check_output(folder, folder=True)
    demo, runs = settings_per_seed(args)
    run_chain(all_stages(demo, runs), args.jobs)
    result = compare([seed_run(run) for run in runs], args.resamples)
    text = to_markdown(result)
    content = json.dumps(result, indent=2, default=float) + '\n'
    write_whole(args.work_dir / 'seeds.json', content.encode())
    write_whole(args.work_dir / 'seeds.md', text.encode())
    print(f'\n{text}\nWrote {args.work_dir / "seeds.md"} and seeds.json')


if __name__ == '__main__':
    main()
