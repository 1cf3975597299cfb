"""Which checkpoint of a training is kept as the best: chosen by clips that are not reported.

A training that looks at the test clips after every epoch and keeps the best has learned from them,
and so has every figure about it.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .config_tools import clips_of_holdout
from .resume import BEST

# The top-level key `select_on` of a config. Without it, `val_dataloader` says it.
CHOICES = ('holdout', 'last', 'test')
WARNING = (
    'The best checkpoint is chosen on the clips that are tested, so the figures of the test are '
    "better than those of new clips would be: select_on='holdout' chooses it on the holdout."
)


def apply_selection(cfg: Config) -> None:
    """Let the validation choose as `select_on` says.

    'holdout' validates on the clips of `holdout_dataloader`, read as the test reads its own;
    'last' keeps no best checkpoint; 'test', the paper's way, validates on the tested clips.

    Raises:
        ValueError: It is none of these, or the config has no such clips.
    """
    choice = cfg.get('select_on')
    if choice is None:
        return
    if choice not in CHOICES:
        raise ValueError(f'select_on={choice!r}: expected one of {list(CHOICES)}.')
    if choice == 'last':
        checkpoint = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
        for key in ('save_best', 'rule'):
            checkpoint.pop(key, None)
        return
    if not cfg.get('test_dataloader'):
        raise ValueError(f'select_on={choice!r} needs a test_dataloader; the config has none.')
    loader = copy.deepcopy(cfg.test_dataloader)
    cfg.val_dataloader = loader if choice == 'test' else clips_of_holdout(cfg, loader)


def selects_on_test(cfg: Mapping[str, Any]) -> bool:
    """Whether the best checkpoint is chosen by the very clips that are tested."""
    checkpoint = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    if not checkpoint.get('save_best') or not cfg.get('val_dataloader'):
        return False
    return clips_of(cfg['val_dataloader']) == clips_of(cfg.get('test_dataloader') or {})


def clips_of(loader: Mapping[str, Any]) -> dict[str, Any]:
    """What says which clips a loader has: its data set without the pipeline and its subset."""
    dataset = dict(loader.get('dataset') or {})
    return {k: v for k, v in dataset.items() if k not in ('pipeline', 'indices', 'test_mode')}


def how_selected(cfg: Mapping[str, Any], checkpoint: str | None) -> str:
    """How the checkpoint of a test was chosen, in words; '' where there is none."""
    if checkpoint is None:
        return ''
    name = Path(checkpoint).name
    if not name.startswith(BEST):
        return f'not selected: {Path(checkpoint).stem}'
    hook = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    metric = hook.get('save_best') or 'the best'
    if selects_on_test(cfg):
        return f'by {metric} on the tested clips'
    validated = (cfg.get('val_dataloader') or {}).get('dataset') or {}
    clips = 'the holdout' if validated.get('split') == 'holdout' else 'the validation clips'
    return f'by {metric} on {clips}'
