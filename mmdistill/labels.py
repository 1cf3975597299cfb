"""Labels on data samples: one per task, whether the data has an action or verbs and nouns.

A single label is the task `action`, stored as MMAction2 does (`gt_label`); verb + noun data has
one entry per task in `gt_labels`. Shape legend: B = clips in the batch, K = classes.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
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


def blend_labels(
    samples: SampleList, partner_B: Sequence[int], share: float, num_classes: Mapping[str, int]
) -> None:
    """Replace labels by distributions (K,): `share` of a clip's own, the rest its partner's.

    Blended with an unlabelled clip, a clip is unlabelled. Labels of tasks that `num_classes` does
    not name are dropped.
    """
    before = [_labels_of(sample) for sample in samples]
    for sample, own, partner in zip(samples, before, partner_B, strict=True):
        blended = {
            task: share * _distribution(own[task], num_classes[task])
            + (1 - share) * _distribution(before[partner][task], num_classes[task])
            for task in own
            if task in before[partner] and task in num_classes
        }
        if 'gt_labels' in sample:
            sample.set_field(BaseDataElement(**blended), 'gt_labels', dtype=BaseDataElement)
        elif blended:
            sample.set_gt_label(blended[ACTION])
        elif own:
            del sample.gt_label


def _distribution(label: Tensor, num_classes: int) -> Tensor:
    """A class index as one-hot float32 (K,); a distribution stays."""
    return label.float() if label.ndim else F.one_hot(label, num_classes).float()
