"""Kill a training with -9 at random iterations, resume it each time, compare what comes out.

    python tests/hooks/kill_and_resume.py --kills 10

Ends with exit code 1 if the student, its EMA, optimizer, schedules, the teacher's weighting or a
generator differ in a bit from those of the same training without interruption. The training is a
tiny distillation on noise, with dropout, mixup, momentum, schedules, EMA and a fitted weighting.
"""

import argparse
import functools
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # the tests are found from the root, as pytest does it

from mmengine.registry import init_default_scope  # noqa: E402

from mmdistill.resume import latest_checkpoint  # noqa: E402
from tests.conftest import recognizer_config  # noqa: E402
from tests.hooks.conftest import distillation_config, write_experts  # noqa: E402
from tests.hooks.exact_runs import (  # noqa: E402
    CLIPS,
    digest,
    mixed_precision_on_cpu,
    resumable,
    run,
    states,
)

EPOCHS = 8
ITERATIONS = EPOCHS * CLIPS // 2


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=10, help=f'at most {ITERATIONS}')
    parser.add_argument('--seed', type=int, default=0, help='of the iterations that are hit')
    parser.add_argument('--ranks', type=int, default=1, help='processes of the training (gloo)')
    parser.add_argument('--amp', action='store_true', help='mixed precision, bfloat16')
    parser.add_argument(
        '--save-every', type=int, help='iterations between checkpoints; default: every epoch'
    )
    parser.add_argument('--work-dir', type=Path, help='default: a temporary folder')
    return parser.parse_args()


def builder(args: argparse.Namespace, folder: Path) -> functools.partial:
    """Builds the config of the training, in a work dir of its own."""
    init_default_scope('mmaction')
    write_experts(folder, recognizer_config)
    more = {}
    if args.save_every:
        more['saving'] = dict(by_epoch=False, interval=args.save_every)
    if args.amp:
        optimizer = dict(type='SGD', lr=0.01, momentum=0.9)
        scale = dict(init_scale=1024.0, growth_interval=5)
        more['optim_wrapper'] = dict(type='AmpOptimWrapper', loss_scale=scale, optimizer=optimizer)
    distillation = functools.partial(distillation_config, folder, recognizer_config)
    return functools.partial(
        resumable, distillation, recognizer_config, epochs=EPOCHS, ranks=args.ranks, **more
    )


def interrupted(args: argparse.Namespace, build: functools.partial, folder: Path) -> None:
    """Train in a folder, killed at random iterations, before or after what is saved there."""
    random = np.random.default_rng(args.seed)
    hit = np.sort(random.choice(np.arange(1, ITERATIONS + 1), args.kills, replace=False))
    for iteration in map(int, hit):
        kill = dict(iteration=iteration, priority=str(random.choice(['VERY_HIGH', 'LOWEST'])))
        found = latest_checkpoint(folder)
        cfg = build(work_dir=str(folder), kill=kill, load_from=found, resume=found is not None)
        codes = run(cfg, args.ranks)
        if codes != {-signal.SIGKILL}:
            sys.exit(f'Iteration {iteration} was to be killed, but ended with exit codes {codes}.')
        start = Path(found).name if found else 'the beginning'
        print(f'from {start}: killed at iteration {iteration} of {ITERATIONS}', flush=True)
    found = latest_checkpoint(folder)
    run(build(work_dir=str(folder), load_from=found, resume=found is not None), args.ranks)


def compare(args: argparse.Namespace, folder: Path) -> bool:
    """Train with and without kills; print the hashes, return whether all are the same."""
    build = builder(args, folder)
    run(build(work_dir=str(folder / 'whole')), args.ranks)
    interrupted(args, build, folder / 'killed')
    last = f'iter_{ITERATIONS}.pth' if args.save_every else f'epoch_{EPOCHS}.pth'
    whole, killed = (states(folder / name / last) for name in ('whole', 'killed'))
    table = Table(title=f'One training, and the same killed {args.kills} times', box=None)
    for title in ('state', 'uninterrupted', 'killed and resumed', ''):
        table.add_column(title)
    equal = True
    for name in whole:
        ours, theirs = digest(killed[name]), digest(whole[name])
        equal &= ours == theirs
        verdict = 'same' if ours == theirs else 'DIFFERENT'
        table.add_row(name, theirs[:16], ours[:16], verdict)
    Console(width=100).print(table)
    return equal


def main() -> None:
    """Compare in a folder that is removed afterwards, unless one is given."""
    args = parse_args()
    if not 0 <= args.kills <= ITERATIONS:
        sys.exit(f'--kills is {args.kills}; expected 0 to {ITERATIONS}, the iterations there are.')
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as temporary:
        if args.amp:
            mixed_precision_on_cpu(patch)
        folder = args.work_dir or Path(temporary)
        if (folder / 'killed').exists():
            sys.exit(f'{folder} has a comparison already: give another --work-dir.')
        folder.mkdir(parents=True, exist_ok=True)
        sys.exit(0 if compare(args, folder) else 1)


if __name__ == '__main__':
    main()
