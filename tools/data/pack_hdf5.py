"""Pack videos, folders of frames or of flow into one HDF5 file, a dataset per clip.

    python tools/data/pack_hdf5.py --videos 'data/something-something-v2/videos/*.webm' \\
        --out data/something-something-v2/rgb.h5
    python tools/data/pack_hdf5.py --flow 'data/something-something-v2/flow/*' \\
        --out data/something-something-v2/flow.h5
    python tools/data/pack_hdf5.py --folders 'data/EPIC-KITCHENS-100/*/rgb_frames/*' \\
        --segments data/EPIC-KITCHENS-100/annotations/EPIC_100_train.csv \\
        --out data/EPIC-KITCHENS-100/rgb.h5
    python tools/data/pack_hdf5.py --flow 'data/EPIC-KITCHENS-100/*/flow_frames/*' \\
        --segments data/EPIC-KITCHENS-100/annotations/EPIC_100_train.csv \\
        --out data/EPIC-KITCHENS-100/flow.h5

Killed and started again it continues. Until the end the disk holds the frames twice. Point `media`
of the data set at the file: `rgb='rgb.h5'`.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import mmdistill  # noqa: F401  (repairs of upstream faults)
from mmdistill.datasets.annotation_csv import Row, read_rows
from mmdistill.datasets.epic_kitchens import PUBLISHED_FRAME, PublishedFrames
from mmdistill.extraction.frame_packing import (
    Clip,
    images_of_flow,
    images_of_folder,
    images_of_video,
    pack_clips,
)
from mmdistill.extraction.video import VideoError
from mmdistill.files import find_paths
from mmdistill.ranges import Range
from mmdistill.user_errors import one_line_errors

JPEG_QUALITY = Range(1, 100, whole=True)
COLUMNS = ('narration_id', 'video_id', 'start_frame', 'stop_frame')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--videos', nargs='+', help='video files or patterns')
    source.add_argument('--folders', nargs='+', help='folders of frames, or patterns')
    source.add_argument('--flow', nargs='+', help='folders that hold u and v, or patterns')
    parser.add_argument('--out', required=True, type=Path, help='the .h5 file')
    parser.add_argument(
        '--segments',
        help="EPIC-KITCHENS' CSV: a dataset per narration, of frames or flow as they are published",
    )
    parser.add_argument('--template', default=PUBLISHED_FRAME, help='images of --segments')
    parser.add_argument('--quality', type=JPEG_QUALITY, default=95, help='of the JPEGs of --videos')
    args = parser.parse_args(argv)
    if args.segments and args.videos:
        # The published frame numbers are not those of the mp4 files.
        parser.error('--segments needs --folders or --flow, as EPIC-KITCHENS publishes them')
    if args.out.suffix not in ('.h5', '.hdf5'):
        parser.error(f'--out must end with .h5 or .hdf5, got {args.out}')
    return args


def list_clips(args: argparse.Namespace) -> Iterator[Clip]:
    """What there is to pack, in the order of the names."""
    patterns = args.videos or args.folders or args.flow
    paths = find_paths(patterns)
    if not args.videos:
        paths = [path for path in paths if path.is_dir()]  # manifests lie beside the folders
    if args.segments:
        folders = {path.name: path for path in paths}
        for row in read_rows(args.segments, COLUMNS):
            yield segment_clip(row, folders, args.template, bool(args.flow))
        return
    for path in paths:
        if args.videos:
            yield Clip(path.stem, partial(images_of_video, path, args.quality))
        else:
            images = images_of_flow if args.flow else images_of_folder
            yield Clip(path.name, partial(images, path))


def segment_clip(row: Row, folders: dict[str, Path], template: str, is_flow: bool) -> Clip:
    """The images of a narration, the last frame included, as the paper's authors pack them.

    Flow has u and v of every RGB frame; where it was published for every second one, twice.
    """
    video_id = row.text('video_id')
    if video_id not in folders:
        raise row.error(f'there is no folder of video {video_id!r} among {len(folders)}')
    folder = folders[video_id]
    stride = PublishedFrames.of(video_id).flow_stride if is_flow else 1
    planes = [folder / 'u', folder / 'v'] if is_flow else [folder]
    frames = [
        [plane / template.format(index=math.ceil(number / stride)) for plane in planes]
        for number in range(row.integer('start_frame'), row.integer('stop_frame') + 1)
    ]
    # A segment may end with its video: the frame after it does not exist then.
    if len(frames) > 1 and not frames[-1][0].exists():
        frames.pop()
    files = [file for frame in frames for file in frame]
    name = f'{video_id}/{row.text("narration_id")}'
    return Clip(name, partial(images_of_folder, folder, files))


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Pack, and say what was packed."""
    args = parse_args(argv)
    settings = dict(quality=args.quality) if args.videos else {}
    try:
        count = pack_clips(list_clips(args), args.out, settings, print)
    except VideoError as error:
        sys.exit(f'error: {error} What was packed so far is kept.')
    print(f'{args.out}: {count} clips, {args.out.stat().st_size / 1e6:.1f} MB.')


if __name__ == '__main__':
    main()
