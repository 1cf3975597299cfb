"""What a config changes for a teacher cache: only what the student reads is loaded."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..models.batch_inputs import batch_keys
from ..ranges import ONE_OR_MORE
from ..registry import MODALITIES
from .format import read_manifest

SAMPLERS = ('mmdistill.EpochSampler', 'mmdistill.EndlessSampler')


def cache_settings(cfg: Config) -> tuple[Path, int | None] | None:
    """Folder and number of views of the config's `teacher_cache`; None without one.

    `teacher_cache` is the folder, or `dict(folder=…, views=K)` to use fewer views than it has.

    Raises:
        ValueError: It is neither, or `views` is less than 1.
    """
    found = cfg.get('teacher_cache')
    if not found:
        return None
    if isinstance(found, str):
        return Path(found), None
    if not isinstance(found, dict) or set(found) - {'folder', 'views'} or 'folder' not in found:
        raise ValueError(
            f'teacher_cache is {found!r}; expected a folder, or dict(folder=…, views=K).'
        )
    ONE_OR_MORE.check_optional(**{'the views of teacher_cache': found.get('views')})
    return Path(found['folder']), found.get('views')


def use_teacher_cache(cfg: Config) -> Config:
    """Prepare a config with a top-level `teacher_cache`; others are left as they are.

    The sampler cycles the cached augmentation epochs, and `LoadModalities` loads what the student
    reads and nothing else.

    Raises:
        FileNotFoundError: There is no cache.
        ValueError: The config cannot work with one, or wants more views than it has.
    """
    settings = cache_settings(cfg)
    if settings is None:
        return cfg
    folder, views = settings
    stored = read_manifest(folder).views
    views = views or stored
    if views > stored:
        raise ValueError(
            f'teacher_cache wants {views} views, but {folder} has {stored}: add the others with '
            f'`mmdistill cache-teacher CONFIG {folder} --views {views}`, or ask for fewer.'
        )
    sampler = cfg.train_dataloader['sampler']
    if sampler['type'] not in SAMPLERS:
        raise ValueError(
            f'A teacher cache needs augmentations that can be repeated, but the training samples '
            f'with {sampler["type"]}: set train_dataloader.sampler.type to one of {SAMPLERS}.'
        )
    reads = batch_keys(cfg.model.get('modality', 'rgb'))
    sampler['views'] = views
    for name in ('train_dataloader', 'holdout_dataloader'):
        if cfg.get(name):
            for step in load_steps(inner_dataset(cfg[name]['dataset'])):
                step['inputs'] = narrowed(step, reads)
    return cfg


def narrowed(step: dict[str, Any], reads: list[str]) -> str | tuple[str, ...]:
    """The `inputs` of a LoadModalities step without what the student does not read.

    Raises:
        ValueError: The geometry would be drawn in the frames of another modality than before.
    """
    inputs: Any = step.get('inputs') or list(step['modalities'])
    kept = [key for key in inputs if key in reads]
    if isinstance(inputs, str) or not kept:
        return inputs
    first, mine = (MODALITIES.build(step['modalities'][k]).source for k in (inputs[0], kept[0]))
    if first != mine:
        raise ValueError(
            f'Crops are drawn in the frames of {inputs[0]!r}, the first of inputs={list(inputs)}, '
            f'which the student does not read: put {kept[0]!r} first and write the cache again.'
        )
    return tuple(kept)


def inner_dataset(dataset: dict[str, Any]) -> dict[str, Any]:
    """The config of the data set inside RepeatDataset and its like.

    Raises:
        ValueError: There are several (ConcatDataset).
    """
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    if 'datasets' in dataset:
        raise ValueError(
            f'A teacher cache is of one data set, but this is a {dataset["type"]} of '
            f'{len(dataset["datasets"])}: put their annotations into one file.'
        )
    return dataset


def load_steps(dataset: dict[str, Any]) -> list[dict[str, Any]]:
    """The LoadModalities steps of a data set's pipeline."""
    steps = dataset.get('pipeline') or ()
    steps = steps.values() if isinstance(steps, dict) else steps
    return [step for step in steps if str(step['type']).endswith('LoadModalities')]
