"""Write the configs of a project over your own videos, and the commands that train its student.

    mmdistill new-project kitchen --train train.csv --test test.csv --classes classes.csv \\
        --media rgb='videos/{video_id}.mp4' flow='flow/{video_id}' obj=detections.h5
    mmdistill new-project kitchen --train train.csv --test test.csv \\
        --classes verb=verbs.csv noun=nouns.csv --media rgb='videos/{video_id}.mp4' \\
        --holdout split --group kitchen --no-flip

The CSVs have the columns video_id, start_frame, stop_frame and one per task; docs/data_format.md
describes them. Media are below --data-root. Nothing that is there is overwritten.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from ..datasets.annotation_csv import read_rows
from ..datasets.holdout import HELD_OUT
from ..files import write_whole
from ..joint_actions import ACTION
from ..places import check_output
from ..ranges import FRACTION, ONE_OR_MORE
from ..scaffold import Request, look, project_files
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', type=Path, help='of the project; new, or empty')
    parser.add_argument('--train', type=Path, required=True, help='CSV of the training clips')
    parser.add_argument('--test', type=Path, required=True, help='CSV of the clips to report')
    parser.add_argument(
        '--classes', nargs='+', required=True, help='CSV of class names, or TASK=CSV for several'
    )
    parser.add_argument(
        '--media', nargs='+', required=True, help='MODALITY=TEMPLATE: rgb, flow, obj, audio'
    )
    parser.add_argument(
        '--data-root', type=Path, help='folder of the media; default: that of --train'
    )
    parser.add_argument('--frames', type=ONE_OR_MORE, default=16, help='that a model sees')
    parser.add_argument('--size', type=ONE_OR_MORE, default=224, help='pixels of its square')
    parser.add_argument('--no-flip', action='store_true', help='never mirror clips')
    parser.add_argument(
        '--holdout',
        help="column that says 'holdout' of the clips to weight experts on, or that names the "
        'groups of which some are held out; default: the videos',
    )
    parser.add_argument('--ratio', type=FRACTION, default=0.1, help='of the holdout, if chosen')
    parser.add_argument('--group', help='column of what is drawn together in a bootstrap')
    return parser.parse_args(argv)


def named(words: Sequence[str], flag: str, default: str | None = None) -> dict[str, str]:
    """`NAME=VALUE` words by their names; a word without = is the default's.

    Raises:
        ValueError: A word has no name, or a name comes twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition('=')
        if not equals:
            name, value = default or '', word
        if not name or not value or name in found:
            raise ValueError(f'{flag} {word!r}: expected NAME=VALUE, each name once.')
        found[name] = value
    return found


def request_of(args: argparse.Namespace) -> Request:
    """What the command line asks for."""
    classes = named(args.classes, '--classes', ACTION)
    return Request(
        train=args.train,
        test=args.test,
        classes={task: Path(path) for task, path in classes.items()},
        media=named(args.media, '--media'),
        data_root=args.data_root or args.train.parent,
        frames=args.frames,
        size=args.size,
        flip=not args.no_flip,
        holdout=holdout_of(args),
        group=args.group,
    )


def holdout_of(args: argparse.Namespace) -> dict[str, object]:
    """The argument `holdout` of the data set."""
    if args.holdout is None:
        return dict(ratio=args.ratio, seed=0)
    if says_holdout(args.train, args.holdout):
        return dict(column=args.holdout)
    return dict(by=args.holdout, ratio=args.ratio, seed=0)


def says_holdout(train: Path, column: str) -> bool:
    """Whether the column marks the clips of the holdout by that word."""
    rows = read_rows(train, [column])
    return any(row.values[column] == HELD_OUT for row in rows)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Look, and write."""
    args = parse_args(argv)
    if args.folder.exists() and (not args.folder.is_dir() or any(args.folder.iterdir())):
        raise FileExistsError(
            f'{args.folder} is there already and not empty: nothing is overwritten; choose another '
            'folder.'
        )
    check_output(args.folder, folder=True)
    request = request_of(args)
    found = look(request)
    command = shlex.join(['mmdistill', 'new-project', *(argv or sys.argv[1:])])
    for name, text in project_files(args.folder, request, found, command).items():
        path = args.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    print((args.folder / 'README.md').read_text())
