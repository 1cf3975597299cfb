"""A user's own clips: one CSV per split, labels by task, media found by a template per modality."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from mmaction.datasets import BaseActionDataset
from mmengine.logging import print_log

from ..registry import DATASETS
from .annotation_csv import NO_NUMBER, Row, check_unique, read_class_names, read_rows, segment_of
from .clip_index import SeededClips
from .holdout import check_holdout, held_out_ids
from .label_summary import is_labelled, summarize_labels
from .media_files import check_media_files, clips_with
from .missing import absent_media
from .transforms import LoadModalities, named_steps

SPLITS = (None, 'train', 'holdout')
SOME = 'some'


@DATASETS.register_module()
class MultimodalDataset(SeededClips, BaseActionDataset):
    """Clips of videos, each with one or more modalities and no, one or several labels.

    The CSV has the columns `video_id`, `start_frame` and `stop_frame` (0-based, stop exclusive),
    one column with the class id per task (`action`, or `verb` and `noun`), optionally `sample_id`
    (unique; default `<video_id>_<start_frame>_<stop_frame>`) and `group` (default: the video).
    Further columns are free for use in the media templates.

    A record, which is also what enters the pipeline:

    - `sample_id`, `video_id`, `group`: str
    - `start_frame`, `stop_frame`, `total_frames`: int; 0-based, stop exclusive, their difference
    - `start_index`: `start_frame`, where MMAction2's samplers begin to count
    - `label`: dict task -> class id or None; an int if the only task is `action`; absent if none
    - `media`: dict modality -> path
    - `modality`: 'RGB', what MMAction2's transforms ask for

    Args:
        ann_file: The CSV; below `data_root` unless absolute.
        media: Modality to path template with the record's keys and the CSV's columns as
            placeholders, for example `dict(rgb='videos/{video_id}.mp4', obj='detections.h5')`;
            below `data_root` unless absolute.
        data_root: Folder of everything that is not given by an absolute path.
        tasks: Task to CSV with its class names (columns `id, name`), or to None where there is
            none; by default the CSV's columns say: `action`, or `verb` and `noun`. The names are
            in `metainfo['classes']`; with them a label out of range is an error.
        labelled: False reads no labels: the clips are for distillation or prediction only. 'some'
            takes an empty cell in a label column, nan or -1 for a clip without that label, of which
            a student learns from the teacher alone; otherwise these are errors.
        split: None for every clip, 'train' or 'holdout' for the two parts of the holdout split;
            of the latter only clips with all labels, for these it is there.
        holdout: How the holdout is chosen, see `held_out_ids`: `ratio`, `seed`, `by`, `column`.
        check_media: Whether a missing file that the pipeline reads is an error at once.
        kwargs: `group`, the column that says which clips are drawn together in a bootstrap;
            `available`, entry of `media` to the column that says whether a clip has it (1 or 0):
            what it has not is never looked for, and marked as missing; and
            arguments of BaseDataset: `pipeline` (a list, or a dict of named steps, of which a child
            config can change one), `indices`, `filter_cfg=dict(media=[…])`: see `clips_with`, ...

    Raises:
        FileNotFoundError: The CSV, a class file or media are missing.
        ValueError: Anything in them is not as described; says file, line and sample.
    """

    # Name columns in the class files, the first one present counts.
    class_name_columns: Sequence[str] = ('name',)

    def __init__(
        self,
        ann_file: str,
        *,
        media: Mapping[str, str] | None = None,
        data_root: str = '',
        tasks: Mapping[str, str | None] | None = None,
        labelled: bool | str = True,
        split: str | None = None,
        holdout: Mapping[str, Any] | None = None,
        check_media: bool = True,
        **kwargs: Any,
    ) -> None:
        self.media = dict(media or {})
        self.tasks = None if tasks is None else dict(tasks)
        self.labelled = labelled
        self.split = split
        self.holdout = dict(holdout or {})
        self.group = kwargs.pop('group', None)
        self.available = dict(kwargs.pop('available', None) or {})
        self.check_media = check_media
        self._check_arguments()
        self.data_root = data_root or ''
        self.classes = {
            task: self._load_class_names(task, self._locate(path))
            for task, path in (self.tasks or {}).items()
            if path is not None
        }
        metainfo = dict(classes=self.classes) | dict(kwargs.pop('metainfo', None) or {})
        pipeline = named_steps(kwargs.pop('pipeline', ()))
        super().__init__(ann_file, pipeline, data_root=self.data_root, metainfo=metainfo, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the CSV into records, keep the wanted part of the split, find the media."""
        rows = self._read_annotations()
        label_columns = self._label_columns(list(rows[0].values)) if self.labelled else {}
        records = []
        for row in rows:
            record = self._parse_row(row)
            record['media'] = self._format_media(row, record)
            if self.available:
                record['absent'] = absent_media(row, self.available, record)
            if label_columns:
                record |= self._parse_label(row, record['sample_id'], label_columns)
            records.append(record)
        check_unique(rows, [record['sample_id'] for record in records])
        records = self._select_split(rows, records)
        self._check_indices(len(records))
        self.label_summary = summarize_labels(list(label_columns), records)
        if self.check_media:
            check_media_files(records, self._media_read(), self.ann_file)
        return records

    def filter_data(self) -> list[dict[str, Any]]:
        """The clips that have all media of `filter_cfg`."""
        media = (self.filter_cfg or {}).get('media')
        return clips_with(self.data_list, media, self.ann_file) if media else self.data_list

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The record of a clip as it enters the pipeline; decodes nothing."""
        return self.complete(self.plain_record(idx))

    def plain_record(self, idx: int) -> dict[str, Any]:
        """The record of a clip as the annotations have it; no media are looked at."""
        record = super().get_data_info(idx)
        # Upstream sets one start_index for the whole data set; here a clip begins inside a video.
        record['start_index'] = record['start_frame']
        return record

    @staticmethod
    def complete(record: dict[str, Any]) -> dict[str, Any]:
        """The record with what only its media can tell: here nothing."""
        return record

    def load_record(self, index: int) -> dict[str, Any]:
        """The record of clip `index`, counted from the end if negative; decodes no video.

        Raises:
            IndexError: There is no such clip.
        """
        self.full_init()
        if not -len(self) <= index < len(self):
            raise IndexError(f'There is no clip {index} among the {len(self)} of {self.ann_file}.')
        return self.get_data_info(index % len(self))

    # What a data set with another file format overrides.

    def _read_annotations(self) -> list[Row]:
        """The rows of the annotation file, one per clip."""
        return read_rows(self.ann_file, self._required_columns())

    def _required_columns(self) -> list[str]:
        """Columns that every row needs, labels apart."""
        return ['video_id', 'start_frame', 'stop_frame', *([self.group] if self.group else [])]

    def _label_columns(self, columns: Sequence[str]) -> dict[str, str]:
        """Task to CSV column, of the tasks asked for or else of those the CSV has."""
        tasks = self.tasks
        if tasks is None:
            choices = [('action',), ('verb', 'noun')]
            found = [names for names in choices if set(names) <= set(columns)]
            if len(found) > 1:
                raise ValueError(
                    f'{self.ann_file} has action, verb and noun columns; say which to learn, for '
                    "example tasks=dict(action='action_classes.csv')."
                )
            tasks = found[0] if found else ()
        missing = [task for task in tasks if task not in columns]
        if missing or not tasks:
            raise ValueError(
                f'{self.ann_file} lacks label columns: expected '
                f'{list(tasks) or "action, or verb and noun"}, found {list(columns)}. '
                'Add them, or set labelled=False if these clips have no labels.'
            )
        return {task: task for task in tasks}

    def _load_class_names(self, task: str, path: str) -> list[str]:
        """The class names of `task`, of which `path` is the file."""
        return read_class_names(path, self.class_name_columns)

    def _parse_row(self, row: Row) -> dict[str, Any]:
        """The record of one row, without label and media."""
        video_id = row.text('video_id')
        start, stop = row.integer('start_frame'), row.integer('stop_frame')
        sample_id = row.values.get('sample_id') or f'{video_id}_{start}_{stop}'
        record = dict(
            sample_id=sample_id,
            video_id=video_id,
            group=row.values.get(self.group or 'group') or video_id,
        )
        return record | segment_of(row, sample_id, start, stop)

    # Shared by every file format.

    def _parse_label(
        self, row: Row, sample_id: str, label_columns: Mapping[str, str]
    ) -> dict[str, int | dict[str, int | None]]:
        """The record's entry `label`, or nothing if the row has none and need not."""
        labels = {t: self._parse_class(row, sample_id, t, c) for t, c in label_columns.items()}
        if set(labels.values()) == {None}:
            return {}
        return dict(label=labels['action'] if list(labels) == ['action'] else labels)

    def _parse_class(self, row: Row, sample_id: str, task: str, column: str) -> int | None:
        if self.labelled == SOME:
            label = row.integer_or_none(column)
            if label is None:
                return None
        elif (value := row.values[column]).lower() in NO_NUMBER:
            raise row.error(
                f'sample {sample_id!r} has no {task} class, column {column!r} is '
                f"{value or 'empty'}; label it, or set labelled='some' to distil such clips, too"
            )
        else:
            label = row.integer(column)
        if label < 0 or label >= len(self.classes.get(task, range(label + 1))):
            names = self.classes.get(task)
            expected = f'0 to {len(names) - 1} as in {self.tasks[task]}' if names else '0 or more'
            expected += ", or labelled='some', where -1 is no label" * (label == -1)
            raise row.error(
                f'sample {sample_id!r} has {task} class {label} in column {column!r}; '
                f'expected {expected}'
            )
        return label

    def _format_media(self, row: Row, record: Mapping[str, Any]) -> dict[str, str]:
        fields = row.values | record
        paths = {}
        for modality, template in self.media.items():
            try:
                paths[modality] = self._locate(template.format_map(fields))
            except (KeyError, IndexError, ValueError, AttributeError) as error:
                raise ValueError(
                    f'The media template {modality}={template!r} cannot be filled in ({error!r}); '
                    f'the placeholders that exist are {sorted(fields)}; a brace that belongs to '
                    'a name is written twice.'
                ) from error
        return paths

    def _locate(self, path: str) -> str:
        return os.path.join(self.data_root, path)

    def _check_arguments(self) -> None:
        if self.labelled not in (True, False, SOME):
            raise ValueError(f'labelled is {self.labelled!r}; expected True, False or {SOME!r}.')
        if self.split not in SPLITS:
            raise ValueError(f'Unknown split {self.split!r}; expected one of {list(SPLITS)}.')
        check_holdout(self.holdout)

    def _select_split(
        self, rows: Sequence[Row], records: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        if self.split is None:
            return records
        try:
            held_out = held_out_ids(rows, records, self.holdout)
        except ValueError as error:
            raise ValueError(f'{self.ann_file}, split={self.split!r}: {error}') from error
        print_log(
            f'Holdout of {self.ann_file}: {len(held_out)} of {len(records)} clips '
            f'({len(held_out) / len(records):.1%}).',
            logger='current',
        )
        if self.split == 'train':
            return [record for record in records if record['sample_id'] not in held_out]
        kept = [record for record in records if record['sample_id'] in held_out]
        kept = [record for record in kept if self.labelled != SOME or is_labelled(record)]
        if not kept:
            raise ValueError(
                f"{self.ann_file}, split='holdout': none of its {len(held_out)} clips has all "
                'labels: label some, or choose others by ratio or seed of holdout.'
            )
        return kept

    def _check_indices(self, number: int) -> None:
        chosen = self._indices
        beyond = isinstance(chosen, Sequence) and [i for i in chosen if not -number <= i < number]
        if beyond or (chosen is not None and not chosen):
            raise ValueError(
                f'{self.ann_file}: indices={chosen} chooses no clip, or one beyond the {number} of '
                'the file; give the number of clips to use, or leave indices out.'
            )

    def _media_read(self) -> set[str]:
        """The media that the pipeline must find; all of them where it does not say."""
        steps = [s for s in self.pipeline.transforms if isinstance(s, LoadModalities)]
        if not steps:
            return set(self.media)
        loaded = [modality for step in steps for modality in step.modalities.values()]
        return {modality.source for modality in loaded if not modality.optional}
