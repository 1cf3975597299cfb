"""Which part of a config could not be built, when a library stops inside of it."""

import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import build_functions

BUILD = build_functions.build_from_cfg.__code__


def build_message(error: Exception) -> str | None:
    """The part of the config and the reason; None if nothing was being built from a config.

    The part is the innermost one: of a recognizer whose backbone takes no `depht`, the backbone.
    """
    part, whole = None, None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        seen = frame.f_locals
        if frame.f_code is BUILD and seen.get('obj_cls') is not None:
            part = seen['cfg']
        if whole is None and isinstance(seen.get('cfg'), Config):
            whole = seen['cfg']
    if part is None:
        return None
    kind = part.get('type')
    alike = list(_parts_like(part, whole._cfg_dict)) if whole else []
    # Others may be made of the same base: the one with all entries is the one.
    name = max(alike, default=(0, None), key=lambda found: found[0])[1]
    where = f'{name} (type={kind!r})' if name else f'dict(type={kind!r}, …)'
    reason = str(error)
    if ' ' not in reason:  # a bare key, or nothing but the condition of an assertion
        line = traceback.extract_tb(error.__traceback__)[-1].line
        reason = f'{type(error).__name__} {reason}'.rstrip() + f' at `{line}`'
    return (
        f'The part {where} of the config cannot be built: {reason.rstrip(".")}. Correct it there; '
        'MMDISTILL_TRACEBACK=1 shows where it stopped.'
    )


def _parts_like(part: Mapping[str, Any], node: Any, name: str = '') -> Iterator[tuple[int, str]]:
    """The dicts that have the type of `part` and, where both have them, its values.

    Yields the number of entries in common and the dotted name. A builder takes some entries out,
    and adds others such as the parameters of a model.
    """
    if isinstance(node, Mapping):
        entries = list(node.items())
        if node.get('type') == part['type'] and all(
            repr(node[key]) == repr(value) for key, value in part.items() if key in node
        ):
            yield len(part.keys() & node.keys()), name
    elif isinstance(node, (list, tuple)):
        entries = list(enumerate(node))
    else:
        return
    for key, value in entries:
        yield from _parts_like(part, value, f'{name}.{key}' if name else str(key))
