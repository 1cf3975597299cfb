"""How many training clips each class has, for the losses that ask for it."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..data_checks import data_sets
from ..joint_actions import ACTION
from ..models import StudentRecognizer
from ..models.logits import num_classes_by_task


def count_classes(student: StudentRecognizer, dataset: Any) -> dict[str, Tensor]:
    """Task to the labelled clips of each class, (K,); empty where no loss asks for them.

    Clips are counted once per data set, whatever a wrapper around it repeats.

    Args:
        student: The student.
        dataset: The training data set, ours or MMAction2's, possibly a wrapper around others.

    Raises:
        ValueError: A task has no label at all, or a data set does not tell its labels.
    """
    if not any(getattr(loss, 'needs_counts', False) for loss in student.losses.values()):
        return {}
    num_classes = num_classes_by_task(student.recognizer)
    found: dict[str, list[int]] = {task: [] for task in num_classes}
    for part in data_sets(dataset):
        for task, label in _labels(part):
            if task in found:
                found[task].append(label)
    for task, labels in found.items():
        if not labels:
            raise ValueError(
                f'A loss goes by the training clips of each {task} class, but no training clip '
                f'has a {task} label: give some, or use mmdistill.SoftTargetLoss.'
            )
    return {
        task: torch.bincount(torch.tensor(labels), minlength=num_classes[task])
        for task, labels in found.items()
    }


def _labels(dataset: Any) -> Iterator[tuple[str, int]]:
    """Task and class of every label of the clips that a data set gives."""
    record_of = getattr(dataset, 'plain_record', None) or getattr(dataset, 'get_data_info', None)
    if record_of is None:
        raise ValueError(
            f'A loss goes by the training clips of each class, but a {type(dataset).__name__} does '
            "not tell its labels: give it get_data_info(index) with a 'label', as MMEngine's data "
            'sets have, or use mmdistill.SoftTargetLoss.'
        )
    for index in range(len(dataset)):
        label = record_of(index).get('label')
        by_task = label if isinstance(label, dict) else {ACTION: label}
        for task, value in by_task.items():
            if isinstance(value, int) and value >= 0:
                yield task, value
