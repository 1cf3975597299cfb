"""How many training clips each class has, for the losses that ask for it."""

from collections import Counter
from collections.abc import Mapping
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
        dataset: The training data set, possibly a wrapper around others.

    Raises:
        ValueError: A task has no label at all.
    """
    if not any(getattr(loss, 'needs_counts', False) for loss in student.losses.values()):
        return {}
    counts = {
        task: torch.zeros(number, dtype=torch.long)
        for task, number in num_classes_by_task(student.recognizer).items()
    }
    for part in data_sets(dataset):
        for task, found in _label_counts(part).items():
            for label, number in found.items() if task in counts else ():
                counts[task][label] += number
    for task, counts_K in counts.items():
        if not counts_K.any():
            raise ValueError(
                f'A loss goes by the training clips of each {task} class, but no training clip '
                f'has a {task} label: give some, or use mmdistill.SoftTargetLoss.'
            )
    return counts


def _label_counts(dataset: Any) -> Mapping[str, Counter[int]]:
    """Task to label to clips, of our data sets and of MMAction2's."""
    if hasattr(dataset, 'label_summary'):
        return dataset.label_summary.counts
    labels: Counter[int] = Counter()
    for index in range(len(dataset)):
        label = dataset.get_data_info(index).get('label')
        if isinstance(label, int) and label >= 0:
            labels[label] += 1
    return {ACTION: labels}
