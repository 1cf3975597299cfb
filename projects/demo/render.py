"""Render the demo data set: EPIC-KITCHENS-100 in miniature, with boxes for a detector.

python -m projects.demo.render data/demo --train 300 --unlabelled 480 --val 480 --seed 0
"""

import argparse
import sys
import time
from collections.abc import Sequence

import mmdistill  # noqa: F401  (repairs upstream on import)
from mmdistill.locks import output_lock
from mmdistill.places import check_output
from mmdistill.ranges import COUNT, ONE_OR_MORE, SEED, TRAIN_CLIPS, VAL_CLIPS, Range
from mmdistill.user_errors import one_line_errors

from .rendering.renderer import render_demo


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('out', help='folder to create')
    parser.add_argument('--train', type=TRAIN_CLIPS, default=300, help='number of training clips')
    parser.add_argument(
        '--unlabelled', type=COUNT, default=480, help='number of training clips without labels'
    )
    parser.add_argument('--val', type=VAL_CLIPS, default=480, help='number of validation clips')
    parser.add_argument('--seed', type=SEED, default=0, help='same seed, same pixels')
    parser.add_argument(
        '--size',
        type=Range(32, 4096, whole=True),
        nargs=2,
        default=(128, 96),
        metavar=('WIDTH', 'HEIGHT'),
    )
    parser.add_argument(
        '--workers', type=ONE_OR_MORE, default=1, help='processes; the files are the same'
    )
    return parser.parse_args(argv)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Render, unless it is there."""
    args = parse_args(argv)
    check_output(args.out, folder=True)
    began = time.perf_counter()
    with output_lock(args.out):
        size = tuple(args.size)
        fresh = render_demo(
            args.out,
            args.train,
            args.val,
            args.seed,
            size,
            workers=args.workers,
            num_unlabelled=args.unlabelled,
        )
    if not fresh:
        print(f'{args.out} already holds this rendering; nothing to do.')
        return 0
    seconds = time.perf_counter() - began
    clips = args.train + args.unlabelled + args.val
    print(f'{clips} clips in {args.out}, {seconds:.1f} s, {clips / seconds:.0f} clips/s')
    return 0


if __name__ == '__main__':
    sys.exit(main())
