"""Read configs: for the tools, with root folders moved everywhere; and the model of another one."""

import errno
import re
import sys
import sysconfig
import traceback
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config

from .config_options import drop_unset_hooks, merge_options
from .config_paths import PATH_KEYS, PREFIX, Places, config_file, with_paths
from .ranges import FINITE, ONE_OR_MORE

# Top-level strings that other strings of a config start with. MMEngine merges `--cfg-options`
# after the file has run, so a path built from one of them would keep its old root.
ROOT_VARIABLES = ('data_root', 'expert_dir')


def load_config(
    path: str | Path,
    cfg_options: dict[str, Any] | None = None,
    path_keys: Collection[str] = PATH_KEYS,
) -> Config:
    """Load a config, merge `cfg_options` and move every path that a changed root begins.

    Its relative paths are looked for as `config_paths` says; those of `cfg_options` begin in the
    current folder.

    Args:
        path: The config file, or `mmdistill::…`.
        cfg_options: Dotted keys to values, as `KeyValues` parses `--cfg-options`.
        path_keys: The keys of the config under which paths stand.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be read; names the line.
        KeyError, TypeError, ValueError: An option has no place in it; a root is changed that the
            config has not, or that begins no path.
    """
    places = Places(path)
    if places.project and str(places.project) not in sys.path:
        sys.path.append(str(places.project))  # what `custom_imports` names may lie there
    cfg = _found(_read(places.file), places, path_keys)
    options = dict(cfg_options or {})
    moves = {
        _root(cfg, variable, path): str(options[variable]).rstrip('/')
        for variable in ROOT_VARIABLES
        if variable in options
    }
    if moves:
        cfg = Config(move_roots(cfg._cfg_dict, moves), filename=cfg.filename)
    merge_options(cfg, options)
    drop_unset_hooks(cfg)
    return cfg


def _found(cfg: Config, places: Places, path_keys: Collection[str]) -> Config:
    """The config with paths that lead to its files from where we stand."""
    roots = {name: cfg.get(name) for name in ROOT_VARIABLES}
    moves = {
        root.rstrip('/'): places.find(root).rstrip('/')
        for root in roots.values()
        if isinstance(root, str) and root.rstrip('/')
    }
    moved = move_roots(cfg._cfg_dict, {old: new for old, new in moves.items() if old != new})
    found = Config(with_paths(moved, places, path_keys), filename=cfg.filename)
    if isinstance(found.get('work_dir'), str):
        found.work_dir = places.output(found.work_dir)
    return found


def config_of(config: str | Path, what: str = 'config') -> Config:
    """A config of a file, of this package, or of another one (`mmdet::…`), as it stands there.

    Raises:
        FileNotFoundError: There is no such config; `what` says of what kind.
    """
    if '::' in str(config) and not str(config).startswith(PREFIX):
        return get_config(str(config))
    return Config.fromfile(config_file(config, what))


def own_options(path: str | Path, cfg_options: dict[str, Any]) -> dict[str, Any]:
    """The part of `cfg_options` that is for this config: root folders only where it has them."""
    if not cfg_options.keys() & set(ROOT_VARIABLES):
        return dict(cfg_options)
    there = load_config(path)
    return {k: v for k, v in cfg_options.items() if k not in ROOT_VARIABLES or k in there}


def _read(path: str | Path) -> Config:
    """The config of a file; whatever is wrong in it is said with the file and the line."""
    try:
        return Config.fromfile(path)
    # A config is a program of the user's: it can raise anything.
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT):
            raise  # a full disk: MMEngine makes a copy to read
        said = str(error.args[0] if isinstance(error, KeyError) else error)
        said = re.sub(r'^\[Errno \d+\] |, the current sys.path is.*', '', said, flags=re.DOTALL)
        said = said if ' ' in said else f'{type(error).__name__}: {said}'
        raise ValueError(f'{path} cannot be read: {said}{_line(error)}.') from error


def _line(error: Exception) -> str:
    """Where in a config, or in a module of the user's, it stopped."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    library = ('<', sysconfig.get_path('stdlib'), sysconfig.get_path('purelib'))
    in_library = frame.filename.startswith(library)
    return '' if in_library else f' ({frame.filename}, line {frame.lineno})'


def read_model(config: str, cfg_options: dict[str, Any] | None = None) -> ConfigDict:
    """The `model` of a config file, or of one that a package brings (`mmaction::…`).

    Raises:
        FileNotFoundError: There is no such config.
        KeyError: It has no `model`.
    """
    if '::' in config and not config.startswith(PREFIX):
        cfg = config_of(config)
        merge_options(cfg, cfg_options or {})
    else:
        cfg = load_config(config, cfg_options)
    if 'model' not in cfg:
        raise KeyError(f'{config} has no `model`; name a config that trains a recognizer.')
    return cfg.model


def check_schedule(cfg: Config) -> None:
    """Look at the numbers that MMEngine takes as they are: it would train nothing, or NaN.

    Raises:
        ValueError: The length of the training is less than 1, or the optimizer has NaN.
    """
    loop = cfg.get('train_cfg') or {}
    optimizer = (cfg.get('optim_wrapper') or {}).get('optimizer') or {}
    for key in ('max_epochs', 'max_iters'):
        ONE_OR_MORE.check_optional(**{f'train_cfg.{key}': loop.get(key)})
    for key in ('lr', 'weight_decay', 'momentum'):
        FINITE.check_optional(**{f'optim_wrapper.optimizer.{key}': optimizer.get(key)})


def take_holdout_clips(cfg: Config) -> None:
    """Let a test run over the clips of `holdout_dataloader`; see `clips_of_holdout`."""
    cfg.test_dataloader = clips_of_holdout(cfg, cfg.test_dataloader)


def clips_of_holdout(cfg: Config, loader: Mapping[str, Any]) -> dict[str, Any]:
    """A loader of the test over the clips of `holdout_dataloader`, read as the test reads its own.

    Of the holdout it takes the clips alone: its pipeline is the teacher's, with all modalities.

    Raises:
        ValueError: The config has no holdout.
    """
    if not cfg.get('holdout_dataloader'):
        raise ValueError(
            f'{cfg.filename} has no holdout_dataloader: name the clips that the model was not '
            'trained on, as configs/_base_/datasets/ek100.py does.'
        )
    dataset = dict(cfg.holdout_dataloader.dataset)
    if 'pipeline' in loader['dataset']:
        dataset['pipeline'] = loader['dataset']['pipeline']
    return dict(loader, dataset=dataset)


def _root(cfg: Config, variable: str, path: str | Path) -> str:
    if variable not in cfg:
        raise KeyError(f'{path} has no top-level {variable!r} to change; set the paths themselves.')
    root = cfg[variable]
    if not isinstance(root, str) or not root.rstrip('/'):
        raise ValueError(
            f'{path} has {variable}={root!r}, which begins no path that could be moved; '
            'set the paths themselves.'
        )
    return root.rstrip('/')


def move_roots(node: Any, moves: dict[str, str]) -> Any:
    """Replace a folder at the beginning of every string below `node`: old folder to new."""
    if isinstance(node, str):
        # All at once, the deepest first: a path that was moved must not be moved again.
        for old in sorted(moves, key=len, reverse=True):
            if node == old or node.startswith(old + '/'):
                return moves[old] + node[len(old) :]
        return node
    if isinstance(node, dict):
        return type(node)({key: move_roots(value, moves) for key, value in node.items()})
    if isinstance(node, (list, tuple)):
        return type(node)(move_roots(value, moves) for value in node)
    return node
