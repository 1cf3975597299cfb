"""Labels on data samples: one per task, whether the data has an action or verbs and nouns.

A single label is the task `action`, stored as MMAction2 does (`gt_label`); verb + noun data has
one entry per task in `gt_labels`. Shape legend: B = clips in the batch, K = classes.
"""

import torch
from mmaction.structures import ActionDataSample
from mmaction.utils import SampleList
from mmengine.structures import BaseDataElement
from torch import Tensor

ACTION = 'action'


def task_labels(data_samples: SampleList) -> dict[str, Tensor]:
    """Stack the labels of a batch: task -> (B,) class indices, or (B, K) blended labels.

    Raises:
        KeyError: A sample carries no label, or another set of tasks than the first one.
    """
    per_sample = [_labels_of(sample) for sample in data_samples]
    tasks = list(per_sample[0])
    for sample, labels in zip(data_samples, per_sample, strict=True):
        if labels.keys() != set(tasks) or not labels:
            raise KeyError(
                f'Sample {sample.metainfo.get("sample_id", "?")!r} has labels for {list(labels)}, '
                f'but the batch expects {tasks or "at least one task"}.'
            )
    return {task: torch.stack([labels[task] for labels in per_sample]) for task in tasks}


def _labels_of(sample: ActionDataSample) -> dict[str, Tensor]:
    if 'gt_labels' in sample:
        # MMEngine keeps field names in a set, whose order differs from process to process.
        return {task: value.squeeze(-1) for task, value in sorted(sample.gt_labels.items())}
    if 'gt_label' in sample:
        return {ACTION: sample.gt_label.squeeze(-1)}
    return {}


def label_samples(labels_B: Tensor) -> SampleList:
    """Samples that carry one label each, in the form that MMAction2's heads read."""
    return [ActionDataSample().set_gt_label(label.reshape(-1)) for label in labels_B]


def set_task_labels(sample: ActionDataSample, label: int | dict[str, int]) -> None:
    """Store a record's label: an int as MMAction2 does, a dict as `gt_labels`, one per task."""
    if isinstance(label, dict):
        tensors = {task: torch.tensor([value]) for task, value in label.items()}
        sample.set_field(BaseDataElement(**tensors), 'gt_labels', dtype=BaseDataElement)
    else:
        sample.set_gt_label(label)
