"""What cached logits depend on, and in what two such descriptions differ."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from ..config_tools import read_model
from ..files import file_sha256
from ..models.batch_inputs import batch_keys
from ..models.expert import find_checkpoint
from .config import inner_dataset, load_steps

NOT_THERE = 'not there'
# Where the files are does not matter, only what is in them; the loader's comfort neither.
FREE = ('data_root', 'pipeline', 'ann_file', 'check_media', 'lazy_init', 'serialize_data')
SHOWN = 60  # characters of a differing value in an error


def fingerprint(cfg: Config, teacher: dict[str, Any], sample_ids: Iterable[str]) -> dict[str, Any]:
    """Everything that the experts' logits on training set and holdout depend on.

    Experts (config, weights), the pipeline as far as the experts see it, the seed of the
    augmentations, annotation files and clips. Not in it: weighting, losses, student, schedule, and
    which of the modalities are loaded.

    Args:
        cfg: The config of a distillation.
        teacher: The config of its `MultimodalTeacher`.
        sample_ids: The clips of the training set.

    Raises:
        ValueError: The teacher has no experts whose answers could be stored.
    """
    experts = frozen_experts(teacher)
    reads = _reads(experts)
    found = dict(
        seed=augmentation_seed(cfg),
        experts={name: _expert(name, expert, teacher) for name, expert in experts.items()},
        data=_data(inner_dataset(cfg.train_dataloader['dataset']), reads),
        clips=hashlib.sha256('\n'.join(sample_ids).encode()).hexdigest(),
    )
    if cfg.get('holdout_dataloader'):
        found['holdout'] = _data(inner_dataset(cfg.holdout_dataloader['dataset']), reads)
    return _plain(found)


def of_experts(stored: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """What a stored fingerprint says of some of its experts, and of the data that they read.

    Names that it does not know are left out.
    """
    experts = {name: stored['experts'][name] for name in names if name in stored['experts']}
    reads = _reads(experts)
    found = dict(stored, experts=experts)
    for part in {'data', 'holdout'} & stored.keys():
        pipeline = {
            key: dict(step, modalities={k: v for k, v in step['modalities'].items() if k in reads})
            if 'modalities' in step
            else step
            for key, step in stored[part]['pipeline'].items()
        }
        found[part] = dict(stored[part], pipeline=pipeline)
    return found


def frozen_experts(teacher: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The experts of a teacher's config; ValueError where it changes while it teaches."""
    if not teacher.get('experts'):
        raise ValueError(
            f'A {teacher.get("type", "teacher")} has no frozen experts: what it says changes in '
            'training and cannot be stored; train with teacher_cache=None.'
        )
    experts: dict[str, dict[str, Any]] = teacher['experts']
    return experts


def _reads(experts: dict[str, dict[str, Any]]) -> set[str]:
    """The modalities that experts read, by their keys in a batch."""
    return {key for name, x in experts.items() for key in batch_keys(x.get('modality') or name)}


def augmentation_seed(cfg: Config) -> int | None:
    """The seed of the training's augmentations: the sampler's own, or else the run's."""
    own = (cfg.train_dataloader.get('sampler') or {}).get('augmentation_seed')
    return (cfg.get('randomness') or {}).get('seed') if own is None else own


def differences(stored: Any, now: Any, name: str = '') -> list[str]:
    """Where two fingerprints differ: `experts.flow.checkpoint: stored …, now …`."""
    if isinstance(stored, dict) and isinstance(now, dict):
        keys = list(dict.fromkeys([*stored, *now]))
        return [
            line
            for key in keys
            for line in differences(
                stored.get(key), now.get(key), f'{name}.{key}' if name else str(key)
            )
        ]
    if stored == now:
        return []
    return [f'{name}: stored {_short(stored)}, now {_short(now)}']


def _expert(name: str, cfg: dict[str, Any], teacher: dict[str, Any]) -> dict[str, Any]:
    model = cfg.get('model')
    if model is None:
        model = read_model(cfg['config'], cfg.get('cfg_options'))
    found = dict(
        model=model,
        checkpoint=_checkpoint(cfg['checkpoint'], name),
        modality=cfg.get('modality') or name,
    )
    # Only where there is one: a cache of before there was a choice stays valid.
    autocast = cfg.get('autocast', teacher.get('autocast'))
    return found | dict(autocast=autocast) if autocast else found


def _checkpoint(pattern: str | None, name: str) -> str | None:
    if pattern is None or '://' in pattern:
        return pattern
    try:
        return file_sha256(find_checkpoint(pattern, f'expert {name!r}', None))
    except FileNotFoundError:
        return NOT_THERE


def _data(dataset: dict[str, Any], reads: set[str]) -> dict[str, Any]:
    """A data set and its pipeline, as far as the experts that read these keys see them."""
    steps = dataset.get('pipeline') or {}
    named = steps.items() if isinstance(steps, dict) else enumerate(steps)
    loading = load_steps(dataset)
    pipeline = {}
    for key, step in named:
        if step in loading:
            modalities = {k: v for k, v in step['modalities'].items() if k in reads}
            step = {k: v for k, v in step.items() if k != 'inputs'} | dict(modalities=modalities)
        pipeline[str(key)] = step
    found: dict[str, Any] = dict(
        settings={key: value for key, value in dataset.items() if key not in FREE},
        pipeline=pipeline,
    )
    if dataset.get('ann_file'):
        path = Path(dataset.get('data_root') or '') / dataset['ann_file']
        found['annotations'] = file_sha256(str(path)) if path.is_file() else NOT_THERE
    return found


def _plain(node: Any) -> Any:
    """As it comes back from JSON."""
    if isinstance(node, ConfigDict):
        node = node.to_dict()
    return json.loads(json.dumps(node, default=str))


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + '…'
