"""Top-level entries of a config that change nothing, and where the change belongs."""

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

# Read by MMEngine's Runner and Config, by its and MMAction2's programs, and by ours.
READ = {
    *inspect.signature(Runner.__init__).parameters,
    *('custom_imports', 'model_wrapper_cfg', 'find_unused_parameters', 'compile', 'runner_type'),
    *('tta_model', 'tta_pipeline', 'tta_dataloader'),
    *('teacher', 'teacher_cache', 'cache_views', 'holdout_dataloader', 'temperatures'),
    *('data_root', 'expert_dir', 'select_on'),
}


def unused_entries(cfg: Config, cfg_options: Iterable[str] = ()) -> list[str]:
    """A sentence for each top-level entry of the config's own file, or option, that nothing reads.

    A variable of a base is copied where the base uses it: `train_pipeline = …` in a child changes
    the variable, and no data loader.

    Args:
        cfg: As it was loaded.
        cfg_options: The keys of `--cfg-options`.
    """
    found = {}
    for name in _assigned(cfg.filename):
        if name not in READ:
            found[name] = f'{name} = … in {cfg.filename}'
    for key in cfg_options:
        name = key.partition('.')[0]
        if name not in READ:
            found[name] = f'--cfg-options {key}=…'
    return [f'{what} changes nothing: {_advice(cfg, name)}' for name, what in found.items()]


def _assigned(path: str | None) -> Iterator[str]:
    """Names that a config file assigns at its top level and does not use further down."""
    if path is None or Path(path).suffix != '.py' or not Path(path).is_file():
        return
    tree = ast.parse(Path(path).read_text(encoding='utf-8'))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    used = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else ()
        for target in targets:
            if isinstance(target, ast.Name) and target.id not in used and target.id[0] != '_':
                yield target.id


def _advice(cfg: Config, name: str) -> str:
    places = [] if name not in cfg else list(_places_like(cfg[name], cfg._cfg_dict))
    # Of train_pipeline the place in train_dataloader comes first.
    places.sort(key=lambda place: not place.startswith(name.partition('_')[0]))
    if places:
        return f'what reads it has its own copy; set {places[0]} instead.'
    return 'nothing of MMEngine, MMAction2 or mmdistill reads it; correct the name or remove it.'


def _places_like(value: Any, node: Any, place: str = '') -> Iterator[str]:
    """Dotted places, in what is read, of dicts with the keys of `value`."""
    if not isinstance(value, Mapping) or not value:
        return
    for key, child in node.items() if isinstance(node, Mapping) else ():
        if not place and key not in READ:
            continue
        here = f'{place}.{key}' if place else key
        if isinstance(child, Mapping) and child.keys() == value.keys():
            yield here
        yield from _places_like(value, child, here)
