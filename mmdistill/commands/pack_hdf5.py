"""Pack videos, folders of frames or of flow into one HDF5 file, a dataset per clip.

    mmdistill pack-hdf5 --videos 'data/something-something-v2/videos/*.webm' \\
        --out data/something-something-v2/rgb.h5
    mmdistill pack-hdf5 --flow 'data/something-something-v2/flow/*' \\
        --out data/something-something-v2/flow.h5
    mmdistill pack-hdf5 --folders 'data/EPIC-KITCHENS-100/*/rgb_frames/*' \\
        --segments data/EPIC-KITCHENS-100/annotations/EPIC_100_train.csv \\
        --out data/EPIC-KITCHENS-100/rgb.h5
    mmdistill pack-hdf5 --flow 'data/EPIC-KITCHENS-100/*/flow_frames/*' \\
        --segments data/EPIC-KITCHENS-100/annotations/EPIC_100_train.csv \\
        --out data/EPIC-KITCHENS-100/flow.h5
    mmdistill pack-hdf5 --flow --ann data/mine/train.csv data/mine/val.csv \\
        --data-root data/mine --media 'flow/{video_id}' --out data/mine/flow.h5

Killed and started again it continues. Clips that cannot be read are named at the end, with exit
code 1; the others are kept, and the file is made when all are there. Until the end the disk holds
the frames twice. Point `media` of the data set at the file: `rgb='rgb.h5'`.
"""

import argparse
import math
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from ..datasets.annotation_csv import Row, read_rows, segment_of
from ..datasets.epic_kitchens import PUBLISHED_FRAME, PublishedFrames
from ..extraction.frame_packing import (
    Clip,
    images_of_flow,
    images_of_folder,
    images_of_video,
    pack_clips,
)
from ..extraction.segments import add_video_arguments, find_videos
from ..files import find_paths
from ..locks import output_lock
from ..places import check_output
from ..ranges import Range
from ..user_errors import one_line_errors

JPEG_QUALITY = Range(1, 100, whole=True)
COLUMNS = ('narration_id', 'video_id', 'start_frame', 'stop_frame')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--videos', nargs='*', help='video files or patterns; none with --ann')
    source.add_argument('--folders', nargs='*', help='folders of frames, or patterns')
    source.add_argument('--flow', nargs='*', help='folders that hold u and v, or patterns')
    add_video_arguments(parser, patterns=False)
    parser.add_argument('--out', required=True, type=Path, help='the .h5 file')
    parser.add_argument(
        '--segments',
        help="EPIC-KITCHENS' CSV: a dataset per narration, of frames or flow as they are published",
    )
    parser.add_argument('--template', default=PUBLISHED_FRAME, help='images of --segments')
    parser.add_argument('--quality', type=JPEG_QUALITY, default=95, help='of the JPEGs of --videos')
    args = parser.parse_args(argv)
    patterns = next(x for x in (args.videos, args.folders, args.flow) if x is not None)
    if bool(patterns) == bool(args.ann):
        parser.error('give files or patterns, or --ann and none')
    if args.ann and not args.media and args.videos is None:
        parser.error("--ann with --folders or --flow needs --media, for example 'flow/{video_id}'")
    if args.segments and (args.videos or args.ann):
        # The published frame numbers are not those of the mp4 files.
        parser.error(
            '--segments needs --folders or --flow with patterns, as EPIC-KITCHENS publishes them'
        )
    if args.out.suffix not in ('.h5', '.hdf5'):
        parser.error(f'--out must end with .h5 or .hdf5, got {args.out}')
    return args


def list_clips(args: argparse.Namespace) -> Iterable[Clip]:
    """What there is to pack, in the order of the names."""
    named = named_paths(args)
    if args.segments:
        rows = read_rows(args.segments, COLUMNS)
        for row in rows:
            if row.text('video_id') not in named:
                raise row.error(f'there is no folder of its video among the {len(named)} given')
            # The last frame is packed, too.
            start, last = row.integer('start_frame'), row.integer('stop_frame')
            segment_of(row, row.text('narration_id'), start, last + 1)
        # One after the other: the names of all images of a data set are too many.
        return (segment_clip(row, named, args.template, args.flow is not None) for row in rows)
    if args.videos is not None:
        images = partial(images_of_video, quality=args.quality)
    else:
        images = images_of_folder if args.flow is None else images_of_flow
    return [Clip(name, partial(images, path)) for name, path in sorted(named.items())]


def named_paths(args: argparse.Namespace) -> dict[str, Path]:
    """The videos or folders by the names that a data set knows them by.

    Raises:
        ValueError: Two have the same name, or the name of one begins that of another.
    """
    if args.ann:
        named = [(video.video_id, video.path) for video in find_videos(args)]
    elif args.videos:
        named = [(path.stem, path) for path in find_paths(args.videos)]
    else:  # manifests lie beside the folders
        paths = find_paths(args.folders or args.flow)
        named = [(path.name, path) for path in paths if path.is_dir()]
    found: dict[str, Path] = {}
    for name, path in named:
        if name in found:
            raise ValueError(f'{found[name]} and {path} are both called {name!r}; rename one.')
        found[name] = path
    for name in found:
        above = next((str(p) for p in PurePosixPath(name).parents if str(p) in found), None)
        if above:
            raise ValueError(f'{name!r} would lie inside {above!r} in the file; rename one.')
    return found


def segment_clip(row: Row, folders: dict[str, Path], template: str, is_flow: bool) -> Clip:
    """The images of a narration, the last frame included, as the paper's authors pack them.

    Flow has u and v of every RGB frame; where it was published for every second one, twice.
    """
    video_id = row.text('video_id')
    folder = folders[video_id]
    stride = PublishedFrames.of(video_id).flow_stride if is_flow else 1
    planes = [folder / 'u', folder / 'v'] if is_flow else [folder]
    start, last = row.integer('start_frame'), row.integer('stop_frame')

    def images(number: int) -> list[Path]:
        return [plane / template.format(index=math.ceil(number / stride)) for plane in planes]

    # A segment may end with its video: the frame after it does not exist then.
    if last > start and not images(last)[0].exists():
        last -= 1
    files = (file for number in range(start, last + 1) for file in images(number))
    name = f'{video_id}/{row.text("narration_id")}'
    return Clip(name, partial(images_of_folder, folder, files))


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Pack, and say what was packed."""
    args = parse_args(argv)
    check_output(args.out)
    settings = {} if args.videos is None else dict(quality=args.quality)
    with output_lock(args.out):
        packed = pack_clips(list_clips(args), args.out, settings, print)
    for name, reason in packed.failures.items():
        print(f'FAILED {name}: {reason}')
    if packed.failures:
        print(
            f'{len(packed.failures)} of {packed.num_clips + len(packed.failures)} clips failed. '
            f'The others are kept in {args.out}.parts, and {args.out} is not made without all. '
            'Repair the files, or leave them out, and run the same command again.'
        )
        return 1
    print(f'{args.out}: {packed.num_clips} clips, {args.out.stat().st_size / 1e6:.1f} MB.')
    return 0
