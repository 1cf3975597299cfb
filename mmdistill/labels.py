"""Labels on data samples: one per task, whether the data has an action or verbs and nouns.

A single label is the task `action`, stored as MMAction2 does (`gt_label`); verb + noun data has
one entry per task in `gt_labels`. A sample without either is unlabelled; one that lacks the labels
of some tasks names these in its metainfo, `unlabelled`: a missing column is not taken for that.
Shape legend: B = clips in the batch, N = those with a label, K = classes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmaction.structures import ActionDataSample
from mmaction.utils import SampleList
from mmengine.structures import BaseDataElement
from torch import Tensor

from .joint_actions import ACTION


class LabelledRows(NamedTuple):
    """The clips of a batch that have a label of one task."""

    rows: list[int]  # N positions in the batch, rising
    labels: Tensor  # (N,) class indices or (N, K) blended labels; (0,) if there are none


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


def labelled_rows(data_samples: SampleList, tasks: Sequence[str]) -> dict[str, LabelledRows]:
    """Labels of a batch in which clips may lack them: task -> rows and labels.

    Raises:
        KeyError: A sample has labels, but lacks one of `tasks` without saying so.
    """
    rows: dict[str, list[int]] = {task: [] for task in tasks}
    found: dict[str, list[Tensor]] = {task: [] for task in tasks}
    for i, sample in enumerate(data_samples):
        labels = _labels_of(sample)
        missing = set(tasks) - labels.keys() - set(sample.metainfo.get('unlabelled', ()))
        if labels and missing:
            raise KeyError(
                f'The model has heads for {sorted(tasks)}, but sample '
                f'{sample.metainfo.get("sample_id", "?")!r} has labels for {list(labels)} only; '
                'name the heads as the tasks of the data set.'
            )
        for task in tasks:
            if task in labels:
                rows[task].append(i)
                found[task].append(labels[task])
    empty = torch.empty(0, dtype=torch.long)
    return {
        task: LabelledRows(rows[task], torch.stack(found[task]) if found[task] else empty)
        for task in tasks
    }


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


def set_task_labels(sample: ActionDataSample, label: int | dict[str, int | None]) -> None:
    """Store a record's label: an int as MMAction2 does, a dict as `gt_labels`, one per task.

    A task whose label is None is stored as unlabelled.
    """
    if isinstance(label, dict):
        tensors = {
            task: torch.tensor([value]) for task, value in label.items() if value is not None
        }
        sample.set_field(BaseDataElement(**tensors), 'gt_labels', dtype=BaseDataElement)
        if len(tensors) < len(label):
            unlabelled = tuple(sorted(label.keys() - tensors.keys()))
            sample.set_metainfo(dict(unlabelled=unlabelled))
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
