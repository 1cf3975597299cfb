"""Fit a temperature per task on the holdout, and show what it does to a test.

    mmdistill temperature-scaling CONFIG CHECKPOINT --test scores.npz \\
        --out temperatures.json --publish student.pth

runs the model on the config's holdout. Where a dump of that is there already
(`mmdistill test CONFIG CHECKPOINT --holdout --dump holdout.npz`), give `--holdout holdout.npz`
instead of the config. A teacher has no checkpoint: its temperatures are in the .json file.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..checkpoints import read_checkpoint, weights_of
from ..evaluation.scaling_table import (
    at_the_limit,
    check_apart,
    compare_scaling,
    scaling_markdown,
)
from ..evaluation.score_groups import checked_scores_of
from ..files import find_file, write_whole
from ..metrics import ScoreTable, fit_temperatures
from ..models.temperature import KEY, publish
from ..places import check_output
from ..ranges import NO_RESAMPLES
from ..user_errors import one_line_errors

TEST = [sys.executable, '-m', 'mmdistill', 'test']


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', nargs='?', help='config of the model, with a holdout_dataloader')
    parser.add_argument('checkpoint', nargs='?', help='its weights; a teacher has none')
    parser.add_argument('--holdout', metavar='FILE.npz', help='a dump instead of the config')
    parser.add_argument('--test', metavar='FILE.npz', help='dump of a test, to show the effect on')
    parser.add_argument('--out', metavar='FILE.json', help='temperatures and metrics; replaced')
    parser.add_argument(
        '--publish', metavar='FILE.pth', help='new checkpoint: weights, meta, temperatures in it'
    )
    parser.add_argument(
        '--resamples', type=NO_RESAMPLES, default=1000, help='of the bootstrap over videos'
    )
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE')
    args = parser.parse_args(argv)
    if not (args.config or args.holdout):
        parser.error('give CONFIG and CHECKPOINT, or --holdout FILE.npz')
    if args.publish and not args.checkpoint:
        parser.error('--publish writes the weights again: give CONFIG and CHECKPOINT')
    if args.publish and Path(args.publish).exists():
        parser.error(f'--publish: {args.publish} is there already; give another name')
    return args


def run_on_holdout(args: argparse.Namespace) -> ScoreTable:
    """What the model says about the config's holdout, by mmdistill test."""
    with tempfile.TemporaryDirectory() as folder:
        dump = f'{folder}/holdout.npz'
        weights = [args.checkpoint] if args.checkpoint else []
        command = [*TEST, args.config, *weights, '--holdout', '--dump', dump]
        command += ['--work-dir', f'{folder}/log']
        if args.cfg_options:
            command += ['--cfg-options', *args.cfg_options]
        code = subprocess.run(command, check=False).returncode
        if code:
            sys.exit(code)  # it has said why
        return checked_scores_of(dump)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Fit, show, store."""
    args = parse_args(argv)
    if args.checkpoint:
        args.checkpoint = find_file(args.checkpoint, 'checkpoint', 'give the path of yours')
        weights_of(read_checkpoint(args.checkpoint, mapped=True), args.checkpoint)
    for path in filter(None, (args.out, args.publish)):
        check_output(path, inputs=[args.config, args.checkpoint, args.holdout, args.test])
    # Before the model runs: a test that cannot be read is no news for the end.
    tests = {'test': checked_scores_of(args.test)} if args.test else {}
    holdout = checked_scores_of(args.holdout) if args.holdout else run_on_holdout(args)
    for test in tests.values():
        check_apart(holdout, test, args.holdout or 'run just now')
    temperatures = fit_temperatures(holdout)
    for sentence in at_the_limit(temperatures):
        print(f'warning: {sentence}')
    tables = {'holdout': holdout, **tests}
    result = {KEY: temperatures}
    for name, table in tables.items():
        result[name] = compare_scaling(table, temperatures, args.resamples)
        clips, videos = (result[name][f'num_{x}'] for x in ('samples', 'groups'))
        print(f'\n{name}: {clips} clips of {videos} videos; 95 % intervals by video\n')
        print(scaling_markdown(result[name], temperatures))
    if args.out:
        write_whole(args.out, (json.dumps(result, indent=2) + '\n').encode())
        print(f'Wrote {args.out}')
    if args.publish:
        publish(args.checkpoint, args.publish, temperatures)
        print(f'Wrote {args.publish}')
