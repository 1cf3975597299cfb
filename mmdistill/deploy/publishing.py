"""From a config and a checkpoint to a published model."""

import copy
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor

from .. import __version__
from ..checkpoints import load_strictly, read_checkpoint
from ..config_tools import load_config
from ..extras import installed_versions
from ..metrics.temperature import check_temperatures
from ..models.class_names import class_names_of
from ..models.logits import num_classes_by_task
from ..models.recognizer_config import fit_to_tasks, resolve_recognizer
from ..models.temperature import KEY
from ..registry import MODELS
from .described import PublishedModel
from .pipeline import clip_of_pipeline

PACKAGES = ('torch', 'mmengine', 'mmaction2')
STUDENT = 'StudentRecognizer'


def publish_model(
    config: str | Path,
    checkpoint: str | Path,
    temperatures: Mapping[str, float] | None = None,
    metrics: Mapping[str, Any] | None = None,
    licence: str = '',
    options: Mapping[str, Any] | None = None,
) -> tuple[PublishedModel, dict[str, Tensor]]:
    """Describe a trained recognizer or student, and take its weights.

    EMA weights are those of the checkpoint's state dict, as MMEngine writes them. Optimizer,
    teacher and what the losses learned stay behind.

    Args:
        config: Of the training.
        checkpoint: `best_*.pth` of it.
        temperatures: Task to temperature; default: those in the checkpoint, else 1.
        metrics: What is known of its quality, for the reader of the file.
        licence: Of the weights.
        options: `--cfg-options` of the training.

    Raises:
        CheckpointError: The checkpoint is damaged, or of another model.
        ValueError: The config's model or test pipeline cannot be published.
    """
    cfg = load_config(config, dict(options or {}))
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    recognizer = without_pretrained(bare_recognizer(cfg))
    content = read_checkpoint(checkpoint)
    network = MODELS.build(copy.deepcopy(recognizer))
    advice = 'Give the config that it was trained with.'
    load_strictly(network, content, checkpoint, f'the recognizer of {config}', advice)
    meta = content.get('meta') or {}
    numbers = num_classes_by_task(network)
    found = dict(temperatures or meta.get(KEY) or dict.fromkeys(numbers, 1.0))
    check_temperatures(found, list(numbers))
    described = PublishedModel(
        recognizer=recognizer,
        clip=clip_of_pipeline(cfg.test_dataloader.dataset.pipeline),
        classes=_classes(meta.get('dataset_meta'), numbers),
        temperatures={task: float(value) for task, value in found.items()},
        metrics=dict(metrics or {}),
        taught=taught_by(cfg),
        versions=dict(
            mmdistill=__version__,
            python=platform.python_version(),
            **installed_versions(*PACKAGES),
        ),
        licence=licence,
    )
    return described, dict(network.state_dict())


def bare_recognizer(cfg: Config) -> dict[str, Any]:
    """The recognizer's own config, of a student or of a plain training.

    Raises:
        ValueError: The model is a teacher, or reads several modalities.
    """
    model = cfg.model.to_dict()
    kind = _kind(model)
    if kind == 'MultimodalTeacher':
        raise ValueError('A teacher needs all its modalities: publish the student that it taught.')
    if kind == 'FusionRecognizer' or _kind(model.get('recognizer') or {}) == 'FusionRecognizer':
        raise ValueError(
            'The model reads several modalities, but a published one reads the frames of a video: '
            'publish a student of RGB.'
        )
    if kind not in (STUDENT, 'OmnivorousRecognizer'):
        return model
    recognizer = resolve_recognizer(model['recognizer'])
    return fit_to_tasks(recognizer, model['tasks']) if model.get('tasks') else recognizer


def _kind(model: dict[str, Any]) -> str:
    return str(model.get('type')).rpartition('.')[2]


def without_pretrained(node: Any) -> Any:
    """A copy of a config that fetches no weights: those of the file take their place."""
    if isinstance(node, dict):
        off = dict(pretrained=None, pretrained2d=False)
        return {
            key: off[key] if key in off else without_pretrained(value)
            for key, value in node.items()
            if not (key == 'init_cfg' and 'Pretrained' in str(value))
        }
    if isinstance(node, (list, tuple)):
        return type(node)(without_pretrained(value) for value in node)
    return node


def taught_by(cfg: Config) -> dict[str, Any]:
    """How a student was taught: experts, weighting, losses; {} of a plain training."""
    teacher = cfg.get('teacher')
    if not teacher or not str(cfg.model.type).endswith(STUDENT):
        return {}
    experts = {
        name: Path(str(expert.get('config', ''))).stem
        for name, expert in teacher.get('experts', {}).items()
    }
    return dict(
        # A teacher without experts is the student's own moving average.
        experts=experts or {'ema': 'the moving average of the student'},
        weighting=_plain(teacher.get('weighting', {})),
        losses=cfg.model.losses.to_dict(),
        label_weight=_plain(cfg.model.get('label_weight', 1.0)),
    )


def _plain(value: Any) -> Any:
    return value.to_dict() if hasattr(value, 'to_dict') else value


def _classes(metainfo: dict[str, Any] | None, numbers: Mapping[str, int]) -> dict[str, list[str]]:
    """Names of all classes; their numbers, where the checkpoint has no names."""
    known = class_names_of(metainfo)
    names = {task: list(known.get(task) or map(str, range(k))) for task, k in numbers.items()}
    for task, number in numbers.items():
        if len(names[task]) != number:
            raise ValueError(
                f'The checkpoint names {len(names[task])} classes of {task!r}, the model has '
                f'{number}: it is of another data set.'
            )
    return names
