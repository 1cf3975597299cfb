"""Which videos, and which stretches of them, annotation CSVs or file patterns ask for."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mmdistill.datasets import EpicKitchensDataset, MultimodalDataset
from mmdistill.datasets.annotation_csv import read_rows
from mmdistill.files import find_paths

EPIC_KITCHENS_COLUMNS = {'narration_id', 'participant_id', 'start_timestamp'}
EPIC_KITCHENS_MEDIA = '{participant_id}/videos/{video_id}.MP4'
OWN_MEDIA = 'videos/{video_id}.mp4'
VIDEO_INFO = 'EPIC_100_video_info.csv'


class VideoSegments(NamedTuple):
    """A video, and (start, stop exclusive) in 0-based frames of it; None is the whole video."""

    video_id: str
    path: Path
    segments: list[tuple[int, int]] | None


def list_videos(patterns: Sequence[str]) -> list[VideoSegments]:
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
    return [VideoSegments(video_id, path, None) for video_id, path in by_id.items()]


def read_segments(
    ann_files: Sequence[str],
    data_root: str = '',
    media: str | None = None,
    video_info: str | None = None,
) -> list[VideoSegments]:
    """The annotated segments of all CSVs together, by video.

    They are read by the data sets of training, so both count frames alike.

    Args:
        ann_files: CSVs in EPIC-KITCHENS-100's format or in that of `MultimodalDataset`.
        data_root: Folder that `media` starts from.
        media: Path template of a video; the usual one of the format by default.
        video_info: For EPIC-KITCHENS; by default the one in the folder of the CSV.

    Raises:
        FileNotFoundError, ValueError: As the data sets.
    """
    by_id: dict[str, VideoSegments] = {}
    for ann_file in ann_files:
        dataset = _open(ann_file, data_root, media, video_info)
        for index in range(len(dataset)):
            record = dataset.load_record(index)
            path = Path(record['media']['rgb'])
            video = by_id.setdefault(
                record['video_id'], VideoSegments(record['video_id'], path, [])
            )
            if video.path != path:
                raise ValueError(f'Video {video.video_id!r} is both {video.path} and {path}.')
            video.segments.append((record['start_frame'], record['stop_frame']))
    return list(by_id.values())


def _open(
    ann_file: str, data_root: str, media: str | None, video_info: str | None
) -> MultimodalDataset:
    path = Path(ann_file).resolve()
    # Videos that lack are reported by name at the end, like damaged ones.
    common = {'data_root': data_root, 'labelled': False, 'check_media': False, 'test_mode': True}
    if not read_rows(path, [])[0].values.keys() >= EPIC_KITCHENS_COLUMNS:
        return MultimodalDataset(str(path), media={'rgb': media or OWN_MEDIA}, **common)
    info = Path(video_info).resolve() if video_info else path.with_name(VIDEO_INFO)
    return EpicKitchensDataset(
        str(path), video_info=str(info), media={'rgb': media or EPIC_KITCHENS_MEDIA}, **common
    )


def result_paths(videos: Sequence[VideoSegments], template: str) -> list[Path]:
    """Where the result of each video goes.

    Args:
        template: Path with the placeholders {video_id} and {participant_id}, its part before _.

    Raises:
        ValueError: It cannot be filled in, or gives several videos the same path.
    """
    paths = []
    for video in videos:
        names = {'video_id': video.video_id, 'participant_id': video.video_id.split('_')[0]}
        try:
            paths.append(Path(template.format(**names)))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f'--out-template {template!r} cannot be filled in ({error!r}); '
                f'the placeholders that exist are {sorted(names)}.'
            ) from error
    if len(set(paths)) < len(paths):
        raise ValueError(
            f'--out-template {template!r} gives several videos the same path; '
            'put {video_id} into it.'
        )
    return paths
