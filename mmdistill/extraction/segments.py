"""Which videos, and which stretches of them, annotation CSVs or file patterns ask for."""

import argparse
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmdistill.datasets import EpicKitchensDataset, MultimodalDataset
from mmdistill.datasets.annotation_csv import read_rows
from mmdistill.files import find_paths

EPIC_KITCHENS_COLUMNS = {'narration_id', 'participant_id', 'start_timestamp'}
EPIC_KITCHENS_MEDIA = '{participant_id}/videos/{video_id}.MP4'
OWN_MEDIA = 'videos/{video_id}.mp4'
VIDEO_INFO = 'EPIC_100_video_info.csv'
SIMPLE = (str, int, float)


class VideoSegments(NamedTuple):
    """A video that is to be processed.

    Args:
        video_id: May hold folders, `Step_1/clip_07`.
        path: The file.
        segments: (start, stop exclusive) in 0-based frames; None is the whole video.
        fields: What a path template may ask for: of an annotated video the keys of the record and
            the columns of the CSV, as far as they are the same for all of its clips.
    """

    video_id: str
    path: Path
    segments: list[tuple[int, int]] | None
    fields: dict[str, Any]


def add_video_arguments(parser: argparse.ArgumentParser, patterns: bool = True) -> None:
    """The flags that say which videos: `--ann` with its templates, or `--videos`.

    Args:
        patterns: Whether to add `--videos`, too.
    """
    source = parser.add_mutually_exclusive_group(required=True) if patterns else parser
    if patterns:
        source.add_argument(
            '--videos', nargs='+', help='video files or patterns: all frames; id is the file name'
        )
    source.add_argument('--ann', nargs='+', help='annotation CSVs: the videos that they name')
    parser.add_argument('--data-root', default='', help='folder that --media starts from')
    parser.add_argument(
        '--media',
        help='path of a video, as in media of the data set; default '
        f'{EPIC_KITCHENS_MEDIA} for EPIC-KITCHENS, otherwise {OWN_MEDIA}',
    )
    parser.add_argument(
        '--video-info', help=f'{VIDEO_INFO}; default: the one beside the annotations'
    )


def find_videos(args: argparse.Namespace) -> list[VideoSegments]:
    """The videos that the flags of `add_video_arguments` ask for.

    Raises:
        FileNotFoundError, ValueError: As `list_videos` and `read_segments`.
    """
    if args.ann:
        return read_segments(args.ann, args.data_root, args.media, args.video_info)
    return list_videos(args.videos)


def list_videos(patterns: Sequence[str | Path]) -> list[VideoSegments]:
    """The video files that match, whole; a video's id is its file name without the ending.

    Raises:
        FileNotFoundError: If a pattern matches nothing.
        ValueError: If two files have the same id.
    """
    by_id: dict[str, Path] = {}
    for path in find_paths(patterns):
        if path.stem in by_id:
            raise ValueError(
                f'{path} and {by_id[path.stem]} have the same video id {path.stem!r}; '
                'rename one, or process them apart.'
            )
        by_id[path.stem] = path
    return [
        VideoSegments(name, path, None, {'video_id': name, 'participant_id': name.split('_')[0]})
        for name, path in by_id.items()
    ]


def read_segments(
    ann_files: Sequence[str | Path],
    data_root: str = '',
    media: str | None = None,
    video_info: str | None = None,
) -> list[VideoSegments]:
    """The annotated segments of all CSVs together, by video.

    They are read by the data sets of training, so both count frames alike.

    Args:
        ann_files: CSVs, or patterns; EPIC-KITCHENS-100's or those of `MultimodalDataset`.
        data_root: Folder that `media` starts from.
        media: Path template of a video; the usual one of the format by default.
        video_info: For EPIC-KITCHENS; by default the one in the folder of the CSV.

    Raises:
        FileNotFoundError, ValueError: As the data sets.
    """
    by_id: dict[str, VideoSegments] = {}
    for ann_file in find_paths(ann_files):
        rows = read_rows(ann_file, [])
        dataset = _open(ann_file, rows[0].values.keys(), data_root, media, video_info)
        for index, row in enumerate(rows):
            record = dataset.plain_record(index)
            video_id, path = record['video_id'], Path(record['media']['rgb'])
            fields = row.values | {k: v for k, v in record.items() if isinstance(v, SIMPLE)}
            video = by_id.setdefault(video_id, VideoSegments(video_id, path, [], fields.copy()))
            if video.path != path:
                raise ValueError(f'Video {video_id!r} is both {video.path} and {path}.')
            video.segments.append((record['start_frame'], record['stop_frame']))
            for name in [key for key, value in video.fields.items() if fields.get(key) != value]:
                del video.fields[name]
    return list(by_id.values())


def _open(
    ann_file: Path,
    columns: Collection[str],
    data_root: str,
    media: str | None,
    video_info: str | None,
) -> MultimodalDataset:
    path = ann_file.resolve()
    # Videos that lack are reported by name at the end, like damaged ones.
    common = {'data_root': data_root, 'labelled': False, 'check_media': False, 'test_mode': True}
    if not columns >= EPIC_KITCHENS_COLUMNS:
        return MultimodalDataset(str(path), media={'rgb': media or OWN_MEDIA}, **common)
    info = Path(video_info).resolve() if video_info else path.with_name(VIDEO_INFO)
    return EpicKitchensDataset(
        str(path), video_info=str(info), media={'rgb': media or EPIC_KITCHENS_MEDIA}, **common
    )


def result_paths(videos: Sequence[VideoSegments], template: str) -> list[Path]:
    """Where the result of each video goes.

    Args:
        template: Path with placeholders, which are the `fields` of the videos.

    Raises:
        ValueError: It cannot be filled in, leads out of its folder, or gives several videos the
            same path or one inside another.
    """
    paths = []
    for video in videos:
        try:
            paths.append(Path(template.format_map(video.fields)))
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise ValueError(
                f'--out-template {template!r} cannot be filled in for video {video.video_id!r} '
                f'({error!r}); the placeholders that exist are {sorted(video.fields)}; '
                'a brace of a name is written twice.'
            ) from error
        if '..' in paths[-1].parts and '..' not in Path(template).parts:
            raise ValueError(f'--out-template {template!r} leads out of its folder: {paths[-1]}.')
    _check_apart(paths, template)
    return paths


def _check_apart(paths: Sequence[Path], template: str) -> None:
    taken = {os.path.abspath(path) for path in paths}
    if len(taken) < len(paths):
        raise ValueError(
            f'--out-template {template!r} gives several videos the same path; '
            'put {video_id} into it.'
        )
    for path in map(Path, taken):
        around = next((str(folder) for folder in path.parents if str(folder) in taken), None)
        if around:
            raise ValueError(
                f'--out-template {template!r} puts {path} inside the result {around} of another '
                'video; put something after {video_id}, for example an ending.'
            )
