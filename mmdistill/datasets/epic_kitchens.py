"""EPIC-KITCHENS-100 as its owners publish it: https://github.com/epic-kitchens.

What the frame numbers mean, measured on EPIC_100_validation.csv (9,668 rows), the test timestamps
(13,092) and the domain-adaptation files:

- `frame = floor(rate * timestamp)`, rate 60 for the videos of EPIC-KITCHENS-55 (two digits after
  the underscore: P01_11) and 50 for the extension (three digits: P01_101). It holds for 99 % of
  the validation and 95 % of the test rows; the others are one lower, or 1 instead of 0 at the very
  beginning of a video.
- So a segment is half open: `stop_frame - start_frame` is `rate * duration` (0.003 frames less on
  average). The smallest published number is 1, never 0: they are read as counting from 1 and
  naming the published JPEGs, `frame_0000000001.jpg` and so on. Ours count from 0, so one is taken
  off both. (The owners' README calls them 0 indexed; the readings are one frame apart.)
- The rate is **not** that of the mp4 files of EPIC-KITCHENS-55: those run at 59.94, some at
  29.97, 47.95 or 90 frames/s, and the published JPEGs were resampled to 60. Taking the published
  number for a frame of the mp4, 2,606 validation segments (27 %) would begin over half a second
  off, and 46 would end after their video. `video_info` converts them by their timestamps; where
  the mp4 file is there, by the time stamps of its pictures, whose rate may vary.
"""

import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..modalities.epic_errata import check_folders
from ..modalities.frame_pack import is_pack
from ..registry import DATASETS
from ..video import VideoError, VideoIndex, index_video
from .annotation_csv import Row, read_rows, segment_of
from .multimodal import MultimodalDataset

# EPIC_100_noun_classes_v2.csv adds five nouns (300 to 304: left and right hand and glove, foot) for
# the object masks of VISOR. No action has them, and the benchmark's classifiers have 300 outputs.
NUM_BENCHMARK_CLASSES = dict(verb=97, noun=300)
PUBLISHED_FRAME = 'frame_{index:010d}.jpg'
TIME = re.compile(r'([0-9]{1,4}):([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]*)?)')
LARGEST = 1e6  # of seconds and of frames per second


class PublishedFrames(NamedTuple):
    """How the frames of a video were published: their rate, and RGB frames per flow image."""

    frames_per_second: float
    flow_stride: int

    @classmethod
    def of(cls, video_id: str) -> 'PublishedFrames':
        """Videos of EPIC-KITCHENS-55 have two digits after the underscore, the others three."""
        return cls(60.0, 2) if len(video_id.rpartition('_')[2]) == 2 else cls(50.0, 1)


class VideoClock(NamedTuple):
    """What turns a time into a frame of one mp4 file."""

    frames_per_second: float
    num_frames: int

    def frame_at(self, seconds: float) -> int:
        """The 0-based frame that is shown at `seconds`, at most one past the last."""
        # Timestamps have two decimals: 0.58 s * 50 frames/s must not become 28.999.
        return min(math.floor(seconds * self.frames_per_second + 1e-6), self.num_frames)


@DATASETS.register_module()
class EpicKitchensDataset(MultimodalDataset):
    """EPIC-KITCHENS-100: verb and noun of each segment, from the official CSVs.

    Records are those of `MultimodalDataset` (the holdout's `group` is the video), and more:

    - `participant_id`, `narration_id`: str; the latter is also the `sample_id`
    - `flow_stride`: RGB frames per flow frame, see `video_info`
    - `avg_fps`: float, frames per second of the mp4 file, or of the published frames
    - `unseen`, `tail_verb`, `tail_noun`: bool, each only where its list was given

    A segment belongs to the tail of a task if its class does; the tail of the action is verb or
    noun in the tail.

    Args:
        ann_file: EPIC_100_train.csv, EPIC_100_validation.csv, or with `labelled=False`
            EPIC_100_test_timestamps.csv. All files are below `data_root` unless absolute.
        verb_classes: EPIC_100_verb_classes.csv; gives names and the range of legal labels.
        noun_classes: EPIC_100_noun_classes.csv or its version 2, of which 0 to 299 count.
        tail_verbs: EPIC_100_tail_verbs.csv.
        tail_nouns: EPIC_100_tail_nouns.csv.
        unseen_participants: EPIC_100_unseen_participant_ids_validation.csv.
        video_info: EPIC_100_video_info.csv where frames are those of the mp4 files, and flow and
            detections were extracted from the mp4 files; `flow_stride` is 1. None where they are
            the published JPEGs; `flow_stride` is then 2 for the videos of EPIC-KITCHENS-55, whose
            flow was published for every second frame, and 1 for the extension.
        kwargs: Further arguments of `MultimodalDataset`: `media`, `pipeline`, `data_root`,
            `labelled`, `split`, ... The official folders are, for example,
            `dict(rgb='{participant_id}/videos/{video_id}.MP4')`.

    Raises:
        ValueError: As `MultimodalDataset`; also a video that `video_info` does not list, and frames
            of the first extraction of one of two videos (`mmdistill.modalities.epic_errata`).
    """

    class_name_columns = ('key', 'name')

    def __init__(
        self,
        ann_file: str,
        *,
        verb_classes: str | None = None,
        noun_classes: str | None = None,
        tail_verbs: str | None = None,
        tail_nouns: str | None = None,
        unseen_participants: str | None = None,
        video_info: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.tail_verbs = tail_verbs
        self.tail_nouns = tail_nouns
        self.unseen_participants = unseen_participants
        self.video_info = video_info
        super().__init__(ann_file, tasks=dict(verb=verb_classes, noun=noun_classes), **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the CSV and mark the records of unseen participants and tail classes."""
        self._clocks = self._load_clocks()
        records = super().load_data_list()
        if self.unseen_participants is not None:
            unseen = {
                row.text('participant_id')
                for row in self._rows(self.unseen_participants, 'participant_id')
            }
            for record in records:
                record['unseen'] = record['participant_id'] in unseen
        for task, path in (('verb', self.tail_verbs), ('noun', self.tail_nouns)):
            if path is None or not self.labelled:
                continue
            tail = {row.integer(task) for row in self._rows(path, task)}
            for record in records:
                label = record.get('label', {}).get(task)
                if label is not None:
                    record[f'tail_{task}'] = label in tail
        return records

    @staticmethod
    def complete(record: dict[str, Any]) -> dict[str, Any]:
        """The record with its frames by the time stamps of its video, where that is there.

        Raises:
            ValueError: Its frames are those that the owners have replaced.
        """
        check_folders(record['video_id'], record['media'], PUBLISHED_FRAME)
        record = dict(record)
        seconds, video = record.pop('segment_seconds', None), Path(record['media'].get('rgb', ''))
        if seconds is None or not video.is_file() or is_pack(video):
            return record
        try:
            return record | _frames_between(index_video(video), *seconds)
        except VideoError:
            return record  # who reads the video says what is wrong with it

    def _required_columns(self) -> list[str]:
        columns = ['narration_id', 'participant_id', 'video_id', 'start_frame', 'stop_frame']
        if self.labelled:
            columns += ['verb_class', 'noun_class']
        if self.video_info is not None:
            columns += ['start_timestamp', 'stop_timestamp']
        return columns

    def _label_columns(self, columns: Collection[str]) -> dict[str, str]:
        return dict(verb='verb_class', noun='noun_class')

    def _load_class_names(self, task: str, path: str) -> list[str]:
        return super()._load_class_names(task, path)[: NUM_BENCHMARK_CLASSES[task]]

    def _parse_row(self, row: Row) -> dict[str, Any]:
        sample_id, video_id = row.text('narration_id'), row.text('video_id')
        record = dict(
            sample_id=sample_id,
            narration_id=sample_id,
            video_id=video_id,
            participant_id=row.text('participant_id'),
            group=video_id,
        )
        first, end = row.integer('start_frame'), row.integer('stop_frame')
        if first < 1:
            raise row.error(f'start_frame is {first}; EPIC-KITCHENS counts frames from 1')
        start, stop = first - 1, end - 1
        segment = segment_of(row, sample_id, start, stop)
        # MMAction2's name for the rate.
        record['avg_fps'], record['flow_stride'] = PublishedFrames.of(video_id)
        if self._clocks is not None:
            clock = self._clock(row, video_id)
            seconds = [_seconds(row, f'{end}_timestamp') for end in ('start', 'stop')]
            start, stop = map(clock.frame_at, seconds)
            segment = segment_of(row, sample_id, start, stop)
            record['flow_stride'] = 1
            record['avg_fps'] = clock.frames_per_second
            record['segment_seconds'] = seconds  # for `complete`
        return record | segment

    def _clock(self, row: Row, video_id: str) -> VideoClock:
        if video_id not in self._clocks:
            raise row.error(
                f'video {video_id!r} is not among the {len(self._clocks)} of {self.video_info}; '
                'take both files from the same release'
            )
        return self._clocks[video_id]

    def _load_clocks(self) -> Mapping[str, VideoClock] | None:
        if self.video_info is None:
            return None
        clocks = {}
        for row in self._rows(self.video_info, 'video_id', 'fps', 'duration'):
            rate, duration = _positive(row, 'fps'), _positive(row, 'duration')
            clocks[row.text('video_id')] = VideoClock(rate, round(duration * rate))
        return clocks

    def _rows(self, path: str, *columns: str) -> list[Row]:
        return read_rows(self._locate(path), columns)


def _frames_between(index: VideoIndex, start: float, stop: float) -> dict[str, int]:
    """The 0-based frames that are shown at two times; one past the last, if the video is over."""
    first, last = index.frame_at(start), index.frame_at(stop)
    last = index.num_frames if stop >= index.seconds else max(last, first + 1)
    return dict(start_frame=first, stop_frame=last, start_index=first, total_frames=last - first)


def _seconds(row: Row, column: str) -> float:
    """Seconds of a timestamp such as 00:01:02.35."""
    time = TIME.fullmatch(row.values[column])
    if time is None:
        raise row.error(
            f'column {column!r} holds {row.values[column]!r}; expected a time such as 00:01:02.35'
        )
    return int(time[1]) * 3600 + int(time[2]) * 60 + float(time[3])


def _positive(row: Row, column: str) -> float:
    try:
        value = float(row.values[column])
    except ValueError:
        value = math.nan
    if not 0 < value < LARGEST:
        raise row.error(
            f'column {column!r} holds {row.values[column]!r}; expected a number above 0 '
            f'and below {LARGEST:,.0f}'
        )
    return value
