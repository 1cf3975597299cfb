"""The trainings that are measured: the project's own configs, on clips that are in memory."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmdistill.config_tools import load_config, read_model

from . import ready_clips  # noqa: F401  (registers the data set)
from .sizes import Size

CLASSES = dict(verb=97, noun=300)


def live(size: Size, work_dir: Path, classes: dict[str, int] | None = None) -> Config:
    """A distillation with live experts, which are untrained: what they cost is the same."""
    cfg = load_config(size.config)
    classes = classes or CLASSES
    cfg.work_dir = str(work_dir)
    student = cfg.model.recognizer
    if 'config' in student:
        cfg.model.tasks = dict(classes)
    else:
        with_classes(student, classes)
    for expert in cfg.teacher.experts.values():
        model = read_model(expert.pop('config'))
        expert.update(model=with_classes(model, classes), checkpoint=None)
    categories = cfg.teacher.experts.obj.model.cls_head.encoder.num_categories
    clips = dict(
        type='mmdistill.ReadyClips',
        frames=size.frames,
        pixels=tuple(size.pixels),
        classes=dict(classes),
        categories=categories,
    )
    cfg.train_dataloader = _loader(dict(clips, num_clips=100 * size.batch), size, 'Epoch')
    cfg.holdout_dataloader = _loader(dict(clips, num_clips=size.batch), size, None)
    return cfg


def with_classes(model: dict[str, Any], classes: dict[str, int]) -> dict[str, Any]:
    """A recognizer's config with heads for these tasks, like its first one."""
    heads = model['cls_head']['heads']
    first = next(iter(heads.values()))
    model['cls_head']['heads'] = {t: dict(first, num_classes=k) for t, k in classes.items()}
    return model


def _loader(dataset: dict, size: Size, sampler: str | None) -> dict:
    shuffled = dict(type='mmdistill.EpochSampler', shuffle=True)
    in_order = dict(type='DefaultSampler', shuffle=False)
    return dict(
        batch_size=size.batch,
        num_workers=0,
        sampler=shuffled if sampler else in_order,
        dataset=dataset,
    )
