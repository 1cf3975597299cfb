"""The student's distillation losses: built, weighed by schedule, and computed part by part.

Shape legend: B = clips, K = classes.
"""

from collections.abc import Mapping
from typing import Any

import torch
from mmaction.utils import SampleList
from mmengine.model import ModuleDict
from torch import Tensor, nn

from ..labels import labelled_rows
from ..losses import FeatureLoss, WeightSchedule
from ..losses.schedule import build_weight
from ..registry import MODELS
from .features import check_layer, feature_of
from .logits import rows_of_clips
from .teacher_output import teacher_feature

# Logged names must differ from those of the recognizer's own losses.
RESERVED = ('cls', 'aux', 'untaught')


def build_losses(losses: dict[str, dict[str, Any]]) -> tuple[ModuleDict, dict[str, WeightSchedule]]:
    """The loss modules, and the schedules of those whose weight follows one.

    Raises:
        ValueError: A name is taken by the recognizer's own losses.
    """
    modules: dict[str, nn.Module] = {}
    schedules: dict[str, Any] = {}
    for name, cfg in losses.items():
        if name in RESERVED:
            raise ValueError(
                f'A distillation loss cannot be called {name!r}: loss_{name} is the '
                "recognizer's own; rename it."
            )
        if isinstance(cfg.get('loss_weight'), dict):
            schedules[name] = build_weight(cfg['loss_weight'], f'loss_weight of {name}')
            cfg = {**cfg, 'loss_weight': 1.0}
        modules[name] = MODELS.build(cfg)
    return ModuleDict(modules), schedules


def check_losses(losses: ModuleDict, recognizer: nn.Module) -> None:
    """Raise where a loss cannot work with this student, before anything runs.

    Raises:
        KeyError: A feature loss names a layer that the student does not have.
        ValueError: A loss needs one class per clip, but the recognizer blends clips.
    """
    blending = getattr(recognizer.data_preprocessor, 'blending', None)
    for name, loss in losses.items():
        if isinstance(loss, FeatureLoss):
            check_layer(recognizer, loss.student_layer, f'the student (loss {name!r})')
        elif getattr(loss, 'needs_labels', False) and blending is not None:
            raise ValueError(
                f'The loss {name!r} ({type(loss).__name__}) needs one class per clip, but the '
                f"student's data_preprocessor blends clips ({type(blending).__name__}); remove "
                'the blending or the loss.'
            )


def logit_losses(
    losses: ModuleDict,
    student: dict[str, Tensor],
    teacher: dict[str, Tensor],
    data_samples: SampleList,
    counts: Mapping[str, Tensor],
) -> dict[str, dict[str, Tensor]]:
    """Every logit loss of every task: task -> name -> scalar.

    Args:
        losses: Name to loss; those of features are left out.
        student: Task to logits (B, K).
        teacher: The same of the teacher.
        data_samples: The B samples, for their labels.
        counts: Task to the training clips of each class, (K,), for the losses that ask for them.

    Raises:
        KeyError: The teacher did not answer for a task, or its classes were not counted.
        ValueError: A loss needs labels that a clip does not have.
    """
    found: dict[str, dict[str, Tensor]] = {}
    for task, logits in student.items():
        target = _target_of(task, teacher, logits)
        found[task] = {}
        for name, loss in losses.items():
            if isinstance(loss, FeatureLoss):
                continue
            arguments: tuple[Tensor, ...] = (logits, target)
            if getattr(loss, 'needs_labels', False):
                arguments += (
                    _labels_of(task, name, data_samples, list(student)).to(logits.device),
                )
            if getattr(loss, 'needs_counts', False):
                arguments += (_counts_of(task, name, counts),)
            found[task][name] = loss(*arguments)
    return found


def feature_losses(
    losses: ModuleDict, student: dict[str, Tensor], data_samples: SampleList
) -> dict[str, Tensor]:
    """Every feature loss, over the clips for which its expert has a feature: name -> scalar.

    Raises:
        KeyError: The samples carry no feature of that expert and layer.
        RuntimeError: The student's feature has no gradient, so the loss would teach nothing.
    """
    found = {}
    for name, loss in losses.items():
        if not isinstance(loss, FeatureLoss):
            continue
        feature = feature_of(student, loss.student_layer, 'the student')
        if torch.is_grad_enabled() and not feature.requires_grad:
            raise RuntimeError(
                f'Loss {name!r}: the output of {loss.student_layer!r} has no gradient. The layer '
                'is frozen, or inside a part that runs under gradient checkpointing (with_cp): '
                'name the module around that part, or switch it off.'
            )
        rows, expert = teacher_feature(data_samples, loss.expert, loss.expert_layer)
        part = rows_of_clips(feature, rows, len(data_samples))
        found[name] = loss(part, expert.to(feature.device), len(rows))
    return found


def _target_of(task: str, teacher: dict[str, Tensor], logits: Tensor) -> Tensor:
    if task not in teacher:
        raise KeyError(
            f'The student has a head for {task!r}, but the teacher answered for '
            f'{sorted(teacher)}; give the experts the same tasks.'
        )
    return teacher[task].to(logits.device)


def _counts_of(task: str, name: str, counts: Mapping[str, Tensor]) -> Tensor:
    if task not in counts:
        raise KeyError(
            f'The loss {name!r} needs the training clips of each {task} class, which '
            'mmdistill.DistillationLossHook counts before training; add it to custom_hooks.'
        )
    return counts[task]


def _labels_of(task: str, name: str, data_samples: SampleList, tasks: list[str]) -> Tensor:
    rows, labels = labelled_rows(data_samples, tasks)[task]
    absent = sorted(set(range(len(data_samples))) - set(rows))
    if absent:
        sample: Any = data_samples[absent[0]]
        raise ValueError(
            f'The loss {name!r} needs the {task} label of every clip, but '
            f'{sample.metainfo.get("sample_id", "?")!r} has none; use a loss without labels, such '
            'as mmdistill.SoftTargetLoss, or leave out the unlabelled clips.'
        )
    return labels
