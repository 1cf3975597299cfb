"""What the teacher says about a batch, and how it travels on the data samples.

Live experts and a cache of logits reach the student through this one door.
Shape legend: B = clips, M = experts, K = classes.
"""

from typing import NamedTuple

import torch
from mmaction.utils import SampleList
from mmengine.structures import BaseDataElement
from torch import Tensor

Feature = tuple[str, str]  # expert and layer


class TeacherOutput(NamedTuple):
    """What the teacher says about a batch: dicts from task to tensor, and features of experts."""

    logits: dict[str, Tensor]  # (B, K), fused over the experts, before softmax
    expert_logits: dict[str, Tensor]  # (B, M, K)
    weights: dict[str, Tensor]  # (B, M), how much each expert counted; sums to 1 over M
    # Of the watched layers, per clip: (its views or frames, ...), (0, ...) without the modality.
    features: dict[Feature, list[Tensor]] = {}
    # Per clip, whether an expert has a modality that it reads; empty: for all of them.
    taught: tuple[bool, ...] = ()


class ExpertAnswers(NamedTuple):
    """What the experts say about a batch, before it is weighed."""

    logits: dict[str, Tensor]  # task -> (B, M, K)
    features: dict[Feature, Tensor] = {}  # of the watched layers, all views of all clips


def set_teacher_output(data_samples: SampleList, output: TeacherOutput) -> None:
    """Write the teacher's answer for each clip onto its sample, as `sample.teacher`."""
    by_task = output._asdict()
    features, taught = by_task.pop('features'), by_task.pop('taught')
    for i, sample in enumerate(data_samples):
        parts = {
            part: BaseDataElement(**{task: tensor[i] for task, tensor in tensors.items()})
            for part, tensors in by_task.items()
        }
        by_layer = {_key(*feature): clips[i] for feature, clips in features.items()}
        parts['features'] = BaseDataElement(**by_layer)
        answer = BaseDataElement(metainfo=dict(taught=not taught or taught[i]), **parts)
        sample.set_field(answer, 'teacher', dtype=BaseDataElement)


def taught_clips(data_samples: SampleList) -> list[int]:
    """Positions of the clips that the teacher has something to say about."""
    return [i for i, sample in enumerate(data_samples) if sample.teacher.get('taught', True)]


def teacher_logits(data_samples: SampleList) -> dict[str, Tensor]:
    """The fused logits that travel on the samples: task -> (B, K).

    Raises:
        KeyError: A sample carries none.
    """
    for sample in data_samples:
        if 'teacher' not in sample:
            raise KeyError(
                f'Sample {sample.metainfo.get("sample_id", "?")!r} carries no teacher logits; '
                'add mmdistill.DistillationLossHook to custom_hooks.'
            )
    tasks = data_samples[0].teacher.logits.keys()
    return {
        task: torch.stack([sample.teacher.logits.get(task) for sample in data_samples])
        for task in tasks
    }


def teacher_feature(data_samples: SampleList, expert: str, layer: str) -> tuple[list[int], Tensor]:
    """A feature that travels on the samples: the clips that have it, and their rows (N, ...).

    Clips without the expert's modality have none.

    Raises:
        KeyError: The teacher did not hand out this layer.
    """
    key = _key(expert, layer)
    for sample in data_samples:
        if key not in sample.teacher.features:
            raise KeyError(
                f'Sample {sample.metainfo.get("sample_id", "?")!r} carries no feature of layer '
                f'{layer!r} of expert {expert!r}; features come from live experts: add '
                'mmdistill.DistillationLossHook to custom_hooks.'
            )
    clips = [sample.teacher.features.get(key) for sample in data_samples]
    return [i for i, clip in enumerate(clips) if len(clip)], torch.cat(clips)


def _key(expert: str, layer: str) -> str:
    return f'{expert}/{layer}'
