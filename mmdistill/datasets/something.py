"""Something-Something V2 as its owners publish it: JSON lists, one webm video per clip.

The files were called `something-something-v2-train.json`, `-validation.json`, `-test.json` and
`-labels.json`, and are `train.json`, `validation.json`, `test.json` and `labels.json` in the
present release; their contents are the same. An entry of the first three is
`{"id": "78687", "label": "holding potato next to vicks bottle",
"template": "Holding [something] next to [something]", "placeholders": ["potato", "vicks bottle"]}`
(a test entry has its id alone), and the last maps "Holding something next to something" to "46".
"""

import re
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any

from ..files import read_json
from ..joint_actions import ACTION
from ..modalities.frame_pack import FramePack, is_pack
from ..registry import DATASETS
from ..video import index_video
from .annotation_csv import Row, read_rows, segment_of
from .multimodal import MultimodalDataset


@DATASETS.register_module()
class SomethingSomethingDataset(MultimodalDataset):
    """Something-Something V2: one of 174 actions per video, the clip is the whole video.

    Records are those of `MultimodalDataset`; `sample_id`, `video_id` and `group` are the video's
    id. The annotations do not say how long a video is: its file is asked when the clip is read,
    unless `frame_counts` knows.

    Args:
        ann_file: train.json, validation.json, or with `labelled=False` test.json. All files are
            below `data_root` unless absolute.
        labels: labels.json; gives the names and numbers of the classes.
        frame_counts: CSV with the columns `video_id` and `num_frames`. Needed where clips are read
            without their RGB files, and faster where these are many. Its columns `width` and
            `height` (pixels), if there, go into the records.
        kwargs: Further arguments of `MultimodalDataset`.

    Raises:
        ValueError: As `MultimodalDataset`; also an entry or a template that the files do not
            agree on, and a video that `frame_counts` does not list.
    """

    def __init__(
        self, ann_file: str, *, labels: str, frame_counts: str | None = None, **kwargs
    ) -> None:
        self.frame_counts = frame_counts
        super().__init__(ann_file, tasks={ACTION: labels}, **kwargs)

    @staticmethod
    def complete(record: dict[str, Any]) -> dict[str, Any]:
        """The record with its length; where that is not known yet, the video is opened for it."""
        if 'total_frames' in record:
            return record
        num_frames = _count_frames(record)
        return record | dict(stop_frame=num_frames, total_frames=num_frames)

    def _read_annotations(self) -> list[Row]:
        entries = _read_json(self.ann_file, list)
        rows = []
        for number, entry in enumerate(entries, start=1):
            if not isinstance(entry, dict) or 'id' not in entry:
                raise ValueError(f'{self.ann_file}, entry {number}: expected {{"id": …}}.')
            values = dict(video_id=str(entry['id']), template=str(entry.get('template', '')))
            rows.append(Row(self.ann_file, number, values, unit='entry'))
        if not rows:
            raise ValueError(f'{self.ann_file} holds no entries; expected one per video.')
        return rows

    def _parse_row(self, row: Row) -> dict[str, Any]:
        video_id = row.text('video_id')
        record = dict(sample_id=video_id, video_id=video_id, group=video_id)
        record.update(start_frame=0, start_index=0)
        if self.frame_counts is None:
            return record
        if video_id not in self._known_counts:
            raise row.error(f'video {video_id!r} is not in {self.frame_counts}; count its frames')
        known = dict(self._known_counts[video_id])
        return record | segment_of(row, video_id, 0, known.pop('num_frames')) | known

    def _label_columns(self, columns: Collection[str]) -> dict[str, str]:
        return {ACTION: 'template'}

    def _parse_class(self, row: Row, sample_id: str, task: str, column: str) -> int | None:
        if not row.values[column]:
            return super()._parse_class(row, sample_id, task, column)
        name = row.values[column].replace('[', '').replace(']', '')
        if name not in self._class_ids:
            raise row.error(
                f'sample {sample_id!r} has the template {name!r}, which is none of the '
                f'{len(self._class_ids)} classes of {self.tasks[ACTION]}; take both files from '
                'the same release, or set labelled=False for the test clips'
            )
        return self._class_ids[name]

    @cached_property
    def _class_ids(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.classes[ACTION])}

    @cached_property
    def _known_counts(self) -> dict[str, dict[str, int]]:
        """Video to `num_frames`, and to `width` and `height` where the CSV has them."""
        rows = read_rows(self._locate(self.frame_counts), ['video_id', 'num_frames'])
        numbers = [c for c in ('num_frames', 'width', 'height') if c in rows[0].values]
        for row in rows:
            for column in numbers:
                if row.integer(column) < 1:
                    raise row.error(f'column {column!r} holds {row.values[column]}; expected >= 1')
        return {row.text('video_id'): {c: row.integer(c) for c in numbers} for row in rows}

    def _load_class_names(self, task: str, path: str) -> list[str]:
        found = _read_json(path, dict)
        ids = {name: int(n) for name, n in found.items() if re.fullmatch('[0-9]{1,9}', str(n))}
        if len(ids) < len(found):
            raise ValueError(f'{path} must give each class a whole number, got {str(found)[:80]}.')
        if sorted(ids.values()) != list(range(len(ids))):
            raise ValueError(
                f'{path} must number its {len(ids)} classes 0 to {len(ids) - 1}, each once.'
            )
        return sorted(ids, key=ids.get)


def _count_frames(record: dict[str, Any]) -> int:
    path = Path(record['media'].get('rgb', 'none'))
    if is_pack(path) and path.is_file():
        return FramePack(path).num_images(record)
    if path.is_dir():
        return sum(1 for file in path.iterdir() if file.suffix in ('.jpg', '.jpeg', '.png'))
    if not path.is_file():
        raise FileNotFoundError(
            f'How long clip {record["sample_id"]!r} is cannot be seen, since its video '
            f'{str(path)!r} is missing: give media a template `rgb`, or frame_counts a CSV '
            'with video_id and num_frames.'
        )
    return index_video(path).num_frames


def _read_json(path: str, kind: type) -> Any:
    """A JSON file of the data set."""
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'There is no annotation file {path!r}; check data_root and the name of the file.'
        )
    return read_json(path, kind, 'download it again')
