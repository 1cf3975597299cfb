"""`--cfg-options`: `key=value` of the command line, checked and merged into a config."""

import argparse
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config, ConfigDict, DictAction

# What `None` removes though a config does not list it: MMEngine registers these hooks itself.
MMENGINE_HOOKS = (
    'runtime_info',
    'timer',
    'sampler_seed',
    'logger',
    'param_scheduler',
    'checkpoint',
)


class KeyValues(DictAction):
    """MMEngine's `key=value` of a command line; what cannot be read so is an error of argparse."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: list[str],
        option_string: str | None = None,
    ) -> None:
        """Read each `key=value`."""
        for text in values:
            problem = _problem(text)
            if problem:
                raise argparse.ArgumentError(self, f'{text!r} {problem}')
        super().__call__(parser, namespace, values, option_string)

    @staticmethod
    def _parse_iterable(val: str) -> Any:
        """As upstream, which takes the spaces out of a path too."""
        text = val.strip('\'"')
        is_text = ' ' in text.strip() and ',' not in text and text[:1] not in '(['
        return text if is_text else DictAction._parse_iterable(val)


def _problem(text: str) -> str | None:
    key, equals, value = text.partition('=')
    if not equals:
        return 'is no key=value'
    if not all(part.strip() for part in key.split('.')):
        return 'has a key with an empty part; write key=value, such as train_cfg.max_epochs=5'
    if any(value.count(a) != value.count(b) for a, b in ('()', '[]')):
        return 'has a bracket that is not closed; write [1,2] or (1,2), in quotation marks'
    if value.startswith('dict('):
        return f'is a dict; give its entries one by one, such as {key}.type=NAME'
    return None


def merge_options(cfg: Config, cfg_options: Mapping[str, Any]) -> None:
    """Merge dotted keys into a config, as MMEngine does, and more of lists.

    An index one past the end of a list adds a dict to it (`custom_hooks.2.type=…`), and an element
    that is no dict can be replaced (`topk.0=3`). `None` removes a hook.

    Raises:
        KeyError, TypeError, ValueError: There is no such place; the sentence names key and place.
    """
    options = dict(cfg_options)
    for key in cfg_options:
        clash = next((other for other in options if other.startswith(f'{key}.')), None)
        if clash:
            raise ValueError(f'--cfg-options gives both {key} and {clash}; leave one of them out.')
        _check_hook(cfg, key, cfg_options[key])
        node = _make_room(cfg, key)
        last = key.rpartition('.')[2]
        if isinstance(node, list) and not isinstance(cfg_options[key], dict):
            node[int(last) : int(last) + 1] = [options.pop(key)]
    cfg.merge_from_dict(options)


def drop_unset_hooks(cfg: Config) -> None:
    """Take out hooks that are `None`: MMEngine accepts that of its own ones alone."""
    if isinstance(cfg.get('default_hooks'), dict):
        kept = {k: v for k, v in cfg.default_hooks.items() if v is not None or k in MMENGINE_HOOKS}
        cfg.default_hooks = kept
    if isinstance(cfg.get('custom_hooks'), (list, tuple)):
        cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook is not None]


def _check_hook(cfg: Config, key: str, value: Any) -> None:
    group, _, name = key.partition('.')
    if group != 'default_hooks' or value is not None or not name:
        return
    there = sorted({*(cfg.get('default_hooks') or {}), *MMENGINE_HOOKS})
    if name not in there and '.' not in name:
        raise KeyError(f'--cfg-options {key}=None: there is no such hook, only {", ".join(there)}.')


def _make_room(cfg: Config, key: str) -> Any:
    """The node that the last part of a key is in; elements that begin a list or extend it are made.

    MMEngine merges into elements that are there; it cannot append, and makes new dicts itself.
    """
    node: Any = cfg._cfg_dict
    parts = key.split('.')
    for depth, part in enumerate(parts):
        place = '.'.join(parts[:depth])
        last = depth == len(parts) - 1
        if isinstance(node, list):
            _check_index(node, part, key, place)
            if int(part) == len(node):
                node.append(ConfigDict())
            child = node[int(part)]
        elif isinstance(node, dict):
            begins_list = not last and parts[depth + 1] == '0' and node.get(part) is None
            if begins_list:
                node[part] = []
            child = node.get(part, ConfigDict())
        else:
            raise TypeError(
                f'--cfg-options {key}: {place} is {node!r}, which has no entries; set {place} '
                'itself, or correct the key.'
            )
        if last:
            return node
        node = child
    return node


def _check_index(node: list[Any], part: str, key: str, place: str) -> None:
    if not part.isdigit():
        raise KeyError(
            f'--cfg-options {key}: {place} is a list of {len(node)}; write an index for {part!r}, '
            f'0 to {len(node)}.'
        )
    if int(part) > len(node):
        raise KeyError(
            f'--cfg-options {key}: Index {part} exceeds the length of list {place}; it has '
            f'{len(node)} elements, so a new one is {place}.{len(node)}.'
        )
