"""Which labels the records of a data set have."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..joint_actions import ACTION


class LabelRange(NamedTuple):
    """The labels of one task, and a sample that has the largest."""

    smallest: int
    largest: int
    sample_id: str


class LabelSummary(NamedTuple):
    """The labels of a data set.

    Args:
        ranges: Task to its labels; None where no clip has one.
        unlabelled: The first sample that lacks the label of a task; None where all have all.
    """

    ranges: dict[str, LabelRange | None]
    unlabelled: str | None


def summarize_labels(tasks: Sequence[str], records: Iterable[Mapping[str, Any]]) -> LabelSummary:
    """Look at the labels of all records."""
    ranges: dict[str, LabelRange | None] = dict.fromkeys(tasks)
    unlabelled = None
    for record in records:
        if unlabelled is None and not is_labelled(record):
            unlabelled = record['sample_id']
        for task, label in _by_task(record).items():
            if label is None:
                continue
            smallest, largest, sample_id = ranges[task] or (label, -1, '')
            if label > largest:
                largest, sample_id = label, record['sample_id']
            ranges[task] = LabelRange(min(label, smallest), largest, sample_id)
    return LabelSummary(ranges, unlabelled)


def is_labelled(record: Mapping[str, Any]) -> bool:
    """Whether a record has the labels of all of its tasks."""
    return 'label' in record and None not in _by_task(record).values()


def _by_task(record: Mapping[str, Any]) -> dict[str, int | None]:
    label = record.get('label', {})
    return label if isinstance(label, dict) else {ACTION: label}
