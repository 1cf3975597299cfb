"""Read a config for the command-line tools: overrides merged, root folders moved everywhere."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

# Top-level strings that other strings of a config start with. MMEngine merges `--cfg-options`
# after the file has run, so a path built from one of them would keep its old root.
ROOT_VARIABLES = ('data_root', 'expert_dir')


def load_config(path: str | Path, cfg_options: dict[str, Any] | None = None) -> Config:
    """Load a config, merge `cfg_options` and move every path that a changed root begins.

    Args:
        path: The config file.
        cfg_options: Dotted keys to values, as `mmengine.DictAction` parses `--cfg-options`.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'There is no config {str(path)!r}; give the path of a .py file.')
    cfg = Config.fromfile(path)
    options = dict(cfg_options or {})
    for variable in ROOT_VARIABLES:
        if variable in options and variable not in cfg:
            raise KeyError(
                f'{path} has no top-level {variable!r} to change; set the paths themselves.'
            )
        if variable in options:
            old, new = cfg[variable], str(options[variable])
            moved = move_root(cfg._cfg_dict, old.rstrip('/'), new.rstrip('/'))
            cfg = Config(moved, filename=cfg.filename)
    cfg.merge_from_dict(options)
    return cfg


def move_root(node: Any, old: str, new: str) -> Any:
    """Replace the folder `old` by `new` at the beginning of every string below `node`."""
    if isinstance(node, str):
        return new + node[len(old) :] if node == old or node.startswith(old + '/') else node
    if isinstance(node, dict):
        return type(node)({key: move_root(value, old, new) for key, value in node.items()})
    if isinstance(node, (list, tuple)):
        return type(node)(move_root(value, old, new) for value in node)
    return node
