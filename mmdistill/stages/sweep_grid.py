"""The grid of a sweep: its points, and the config of a distillation at each of them."""

import copy
import inspect
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..cache.config import inner_dataset, load_steps, narrowed
from ..config_tools import load_config
from ..models.batch_inputs import batch_keys
from ..ranges import FRACTION, POSITIVE
from ..registry import MODELS

Point = dict[str, Any]  # axis -> value

# Axes by the names that people have for them; every other axis is a key of the config.
LAMBDA, TEMPERATURE, GAMMA = 'lambda', 'temperature', 'gamma'
WEIGHTING, STUDENT, EXPERTS = 'weighting', 'student', 'experts'
WEIGHTINGS = {
    'uniform': 'mmdistill.UniformWeighting',
    'softmin': 'mmdistill.SoftminWeighting',
    'learned': 'mmdistill.LearnedWeighting',
    'entropy': 'mmdistill.EntropyWeighting',
    'sample_softmin': 'mmdistill.SampleSoftminWeighting',
    'confidence_aware': 'mmdistill.ConfidenceAwareWeighting',
}
SPLITS = ('holdout', 'test')
SOFT_TARGET = 'model.losses.soft_target'


def expand_grid(grid: Mapping[str, Any]) -> dict[str, Point]:
    """Every combination of the axes' values, by its name, in the order of the grid.

    Weightings without a temperature have one point for all gammas.

    Args:
        grid: Axis to its values, as `mmengine.DictAction` parses `axis=v1,v2`.

    Raises:
        ValueError: Two values would have the same name, or a weighting is not known.
    """
    values = {axis: found if isinstance(found, list) else [found] for axis, found in grid.items()}
    points: dict[str, Point] = {}
    for combination in itertools.product(*values.values()):
        point = dict(zip(values, combination, strict=True))
        if GAMMA in point and WEIGHTING in point and not _has_gamma(point[WEIGHTING]):
            del point[GAMMA]
        name = point_name(point)
        if points.setdefault(name, point) != point:
            raise ValueError(
                f'{point} and {points[name]} would both be called {name!r}: rename one of them.'
            )
    return points


def point_name(point: Point) -> str:
    """What a point is called, and its folder: `gamma=0.3_temperature=2`."""
    return '_'.join(f'{axis}={_text(point[axis])}' for axis in sorted(point))


def point_config(
    config: str, options: Mapping[str, Any], point: Point, cache: str, seed: int | None
) -> Config:
    """The config of a student at a point of the grid, taught by a cache.

    Args:
        config: The config of a distillation; the axis `student` takes its place.
        options: Settings that all points share, see `load_config`.
        point: Axis to value.
        cache: Folder of the teacher cache.
        seed: That of the augmentations in the cache, which all seeds of the training share.

    Raises:
        KeyError, ValueError: The config has nothing that an axis could change.
    """
    path = str(point.get(STUDENT, config))
    cfg = load_config(path, dict(options))
    if EXPERTS in point:
        _keep_experts(cfg.teacher, str(point[EXPERTS]).split('+'), path)
    if WEIGHTING in point:
        _set_weighting(cfg, point[WEIGHTING])
    for axis, value in point.items():
        if axis == GAMMA:
            _set_gamma(cfg.teacher.weighting, value, path)
        elif axis not in (STUDENT, WEIGHTING, EXPERTS):
            for key, setting in _settings(axis, value).items():
                _set(cfg, key, setting, path)
    cfg.teacher_cache = cache
    cfg.train_dataloader.sampler.augmentation_seed = seed
    return cfg


def measure_on_holdout(cfg: Config) -> Config:
    """Validate and test on the holdout: a choice that is made there spares the test clips.

    Raises:
        ValueError: The config has no holdout.
    """
    if not cfg.get('holdout_dataloader'):
        raise ValueError(
            f'{cfg.filename} has no holdout_dataloader to compare the points on: add one, or '
            'compare them on the test clips (--split test).'
        )
    loader = copy.deepcopy(cfg.holdout_dataloader)
    for step in load_steps(inner_dataset(loader['dataset'])):
        step['inputs'] = narrowed(step, batch_keys(cfg.model.get('modality', 'rgb')))
    cfg.val_dataloader = cfg.test_dataloader = loader
    return cfg


def _settings(axis: str, value: Any) -> dict[str, Any]:
    """The keys of the config that a value on an axis stands for."""
    if axis == TEMPERATURE:
        POSITIVE.check(temperature=value)
        return {f'{SOFT_TARGET}.temperature': value}
    if axis == LAMBDA:
        FRACTION.check(**{LAMBDA: value})
        # 1 - 0.9 would be written as 0.09999999999999998.
        return {f'{SOFT_TARGET}.loss_weight': value, 'model.label_weight': round(1 - value, 12)}
    return {axis: value}


def _set(cfg: Config, key: str, value: Any, path: str) -> None:
    """As `--cfg-options key=value`, but what contains the last part of the key must be there."""
    node: Any = cfg
    *parents, _ = key.split('.')
    for number, part in enumerate(parents):
        try:
            node = node[int(part)] if isinstance(node, (list, tuple)) else node[part]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            there = '.'.join(parents[: number + 1])
            raise KeyError(f'{path} has no {there!r}, so the grid cannot vary {key!r}.') from error
    cfg.merge_from_dict({key: value})


def _keep_experts(teacher: dict[str, Any], names: list[str], path: str) -> None:
    unknown = [name for name in names if name not in teacher.get('experts', {})]
    if unknown:
        raise ValueError(
            f'The teacher of {path} has no expert {unknown[0]!r}: expected some of '
            f'{list(teacher.get("experts", {}))}, joined by "+".'
        )
    for name in set(teacher['experts']) - set(names):
        del teacher['experts'][name]


def _set_weighting(cfg: Config, name: str) -> None:
    kind = _weighting_type(name)
    # With the same type the config's own settings count.
    if cfg.teacher.weighting.get('type') != kind:
        cfg.teacher.weighting = dict(type=kind)


def _set_gamma(weighting: dict[str, Any], gamma: float, path: str) -> None:
    parts = [weighting] if 'type' in weighting else list(weighting.values())
    parts = [part for part in parts if _has_gamma(part['type'])]
    if not parts:
        raise ValueError(
            f'The weighting of {path} has no temperature gamma to vary: add weighting=softmin to '
            'the grid, or leave gamma out.'
        )
    POSITIVE.check(gamma=gamma)
    for part in parts:
        part['temperature'] = gamma


def _weighting_type(name: str) -> str:
    kind = WEIGHTINGS.get(name, name)
    if MODELS.get(kind) is None:
        raise ValueError(
            f'There is no weighting {name!r}: expected one of {list(WEIGHTINGS)}, or the type of a '
            'registered one.'
        )
    return kind


def _has_gamma(weighting: str) -> bool:
    made = MODELS.get(_weighting_type(weighting))
    return 'temperature' in inspect.signature(made).parameters


def _text(value: Any) -> str:
    """A value as a part of a file name."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return '-'.join(map(_text, value))
    text = f'{value:g}' if isinstance(value, float) else str(value)
    text = Path(text).stem if text.endswith('.py') else text
    return re.sub(r'[^\w.+-]', '-', text)
