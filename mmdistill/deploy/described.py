"""What is known of a published or exported model beside its weights: JSON, in every format.

Nothing in it is executed: what it names is looked up in MMAction2's registries, and nowhere else.
Needs no more than Python, so that an exported model predicts without PyTorch.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

FORMAT = 1
ENTRY = 'mmdistill'  # of the file's metadata
TUPLE = '__tuple__'  # JSON has lists only, and some networks ask which of both they got
WRITTEN_BY = 'expected a file that `mmdistill publish` wrote'
# MMEngine imports a type with more dots from wherever it is. MMAction2 takes backbones of
# torchvision and timm by their names there.
TYPE = re.compile(
    r'((mmaction|mmdistill|mmengine|mmcv|mmdet|mmpretrain|torchvision|timm)\.)?[A-Za-z_]\w*'
)


@dataclass(frozen=True)
class PublishedModel:
    """What is known of a published model beside its weights.

    Args:
        recognizer: Config of the recognizer.
        clip: `sample`, `geometry` and `modality` of the test pipeline.
        classes: Task to class names, in the order of the logits.
        temperatures: Task to the temperature that its logits are divided by; 1 where none was
            fitted.
        metrics: As `mmdistill test --out` wrote them, and their intervals where there are any.
        taught: How it was trained: experts, weighting, losses; empty for a plain training.
        versions: Package to version.
        licence: Of the weights.
        weights_sha256: See `weights_digest`.
    """

    recognizer: dict[str, Any]
    clip: dict[str, Any]
    classes: dict[str, list[str]]
    temperatures: dict[str, float]
    metrics: dict[str, Any] = field(default_factory=dict)
    taught: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    licence: str = ''
    weights_sha256: str = ''


def description_of(model: PublishedModel) -> str:
    """The description as it stands in a file: JSON.

    Raises:
        TypeError: It holds what JSON cannot.
        ValueError: It could not be read again: see `check_parts`.
    """
    check_parts('The config of the model', model.recognizer, model.clip)
    try:
        content = with_tuples_marked(asdict(model))
        return json.dumps(dict(format=FORMAT, **content), ensure_ascii=False)
    except TypeError as error:
        raise TypeError(f'The config of the model cannot be published: {error}.') from error


def described_from(path: str | Path, text: str) -> PublishedModel:
    """Undo `description_of`.

    Args:
        path: Of the file, for errors.
        text: The description in it.

    Raises:
        ValueError: It is incomplete, of a newer format, or names a type of no registry.
    """
    try:
        content = with_tuples(json.loads(text))
        number = content.pop('format')
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f'{path} has a description that cannot be read; {WRITTEN_BY}.') from error
    if number != FORMAT:
        raise ValueError(
            f'{path} is of format {number!r}, but this mmdistill reads format {FORMAT}: install a '
            'newer one, pip install -U mmdistill.'
        )
    known = {f.name: f for f in fields(PublishedModel)}
    wrong = sorted(known.keys() ^ content.keys())
    if wrong or not all(isinstance(content[k], dict) for k in ('recognizer', 'clip', 'classes')):
        raise ValueError(f'{path} has an incomplete description ({wrong}); {WRITTEN_BY}.')
    check_parts(str(path), content['recognizer'], content['clip'])
    return PublishedModel(**content)


def check_parts(whose: str, *configs: dict[str, Any]) -> None:
    """Raise ValueError where a config would import something, or fetch weights."""
    for name in values_of('type', configs):
        if not isinstance(name, str) or not TYPE.fullmatch(name):
            raise ValueError(
                f'{whose} names the type {name!r}, which is not in a registry of OpenMMLab: it is '
                'refused.'
            )
    for key in ('pretrained', 'pretrained2d'):
        if any(values_of(key, configs)):
            raise ValueError(f'{whose} would fetch weights ({key}): it is refused.')


def values_of(key: str, node: Any) -> Iterator[Any]:
    """The values of a key, wherever it stands in a config."""
    if isinstance(node, dict):
        yield from ([node[key]] if key in node else ())
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            yield from values_of(key, child)


def check_replaceable(path: Path, is_ours: bool) -> None:
    """Raise FileExistsError where a file is there that this package has not written."""
    if path.exists() and not is_ours:
        raise FileExistsError(
            f'{path} is there already, and mmdistill has not written it: give another name.'
        )


def with_tuples_marked(node: Any) -> Any:
    """A config as JSON can hold it: a tuple is a dict of its elements."""
    if isinstance(node, dict):
        return {str(key): with_tuples_marked(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        items = [with_tuples_marked(value) for value in node]
        return items if isinstance(node, list) else {TUPLE: items}
    return node


def with_tuples(node: Any) -> Any:
    """Undo `with_tuples_marked`."""
    if isinstance(node, dict):
        if node.keys() == {TUPLE}:
            return tuple(with_tuples(value) for value in node[TUPLE])
        return {key: with_tuples(value) for key, value in node.items()}
    return [with_tuples(value) for value in node] if isinstance(node, list) else node
