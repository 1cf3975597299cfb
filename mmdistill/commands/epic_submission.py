"""Write or check a submission to EPIC-KITCHENS' action recognition challenge.

    mmdistill epic-submission scores.npz submission.zip \\
        --sls-pt 1 --sls-tl 3 --sls-td 3 --ann annotations/EPIC_100_test_timestamps.csv
    mmdistill epic-submission --check submission.zip

`scores.npz` is what `mmdistill test --dump` wrote. What was written is read again and checked.
"""

import argparse
from collections.abc import Sequence

from ..datasets.annotation_csv import read_rows
from ..metrics import load_scores
from ..metrics.epic_submission import SUPERVISION, check_submission, write_submission
from ..places import check_output
from ..ranges import Range
from ..user_errors import one_line_errors

LEVELS = dict(sls_pt='pretraining', sls_tl='training labels', sls_td='training data')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('scores', nargs='?', help='the dump, a .npz file')
    parser.add_argument('out', nargs='?', help='the .zip file to write')
    parser.add_argument('--check', metavar='FILE.zip', help='check this submission, write nothing')
    parser.add_argument('--ann', help='CSV whose narration_id column must be covered exactly')
    for flag in ('--sls-pt', '--sls-tl', '--sls-td'):
        what = LEVELS[flag[2:].replace('-', '_')]
        parser.add_argument(
            flag, type=Range(0, 5, whole=True), help=f'supervision level of the {what}, 0 to 5'
        )
    args = parser.parse_args(argv)
    if bool(args.check) == bool(args.out):
        parser.error('give SCORES.npz and OUT.zip, or --check FILE.zip')
    missing = [name for name in SUPERVISION if getattr(args, name) is None]
    if args.out and missing:
        parser.error(f'a submission states its supervision levels; {missing} are missing')
    return args


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Write and check, or check only."""
    args = parse_args(argv)
    if args.out:
        check_output(args.out, inputs=[args.scores, args.ann])
    narration_ids = None
    if args.ann:
        narration_ids = [row.text('narration_id') for row in read_rows(args.ann, ['narration_id'])]
    path = args.check or args.out
    if args.out:
        supervision = {name: getattr(args, name) for name in SUPERVISION}
        write_submission(path, load_scores(args.scores), supervision)
    print(f'{path}: a valid submission of {check_submission(path, narration_ids)} narrations.')
