"""The one way in which checkpoints are read: as weights only, and what is wrong in one line."""

import re
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from .compat_checkpoints import ForgedCheckpointError

WRITTEN_BY = 'as mmdistill train writes it'
METADATA = '_metadata'  # what torch notes at a state dict about the versions of layers
SHOWN = 3  # names of weights in a message
# torch names what a file wants to import, and advises to load it all the same.
_IMPORT = re.compile(r'(?:Unsupported global|unsupported GLOBAL)[: ]+(?:GLOBAL )?(\S+)')


class CheckpointError(ValueError):
    """A checkpoint is damaged, refused, or of another model."""


class Match(NamedTuple):
    """How weights fit a model: how many do, and the names of those that do not."""

    fitting: int
    missing: list[str]
    unexpected: list[str]
    reshaped: list[str]

    @property
    def complete(self) -> bool:
        """Whether every weight has its place."""
        return not (self.missing or self.unexpected or self.reshaped)

    def __str__(self) -> str:
        """`3 of 60 weights fit; missing: a, b, … (57); …`."""
        total = self.fitting + len(self.missing) + len(self.reshaped)
        parts = [f'{self.fitting} of {total} weights fit']
        for what, names in (
            ('missing', self.missing),
            ('unknown to the model', self.unexpected),
            ('of another shape', self.reshaped),
        ):
            if names:
                parts.append(f'{what}: {shortened(names)}')
        return '; '.join(parts)


def read_checkpoint(
    path: str | Path, map_location: Any = 'cpu', mapped: bool = False
) -> dict[str, Any]:
    """Read a checkpoint of a file or an address; nothing in it is executed.

    Every byte of a file is compared with its checksum, which torch does not do.

    Args:
        path: A file, or an address such as `https://…`.
        map_location: As `torch.load` takes it.
        mapped: Leave weights on the disk until they are used, for a look at the rest.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: It is damaged, no checkpoint, or holds more than weights and plain values.
    """
    if '://' not in str(path):
        content = _read_file(Path(path), map_location, mapped)
    else:
        try:
            content = CheckpointLoader.load_checkpoint(str(path), map_location)
        except Exception as error:  # of the network, of servers, of what they send
            raise CheckpointError(f'{path} {_reason(error)}') from error
    if not isinstance(content, dict):
        raise CheckpointError(
            f'{path} holds a {type(content).__name__}; expected a checkpoint with a state_dict, '
            f'{WRITTEN_BY}.'
        )
    return content


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Let MMEngine read files as `read_checkpoint` does, where a config names `pretrained` ones."""
    return _read_file(Path(filename).expanduser(), map_location)


def weights_of(checkpoint: dict[str, Any], path: str | Path) -> dict[str, Tensor]:
    """The state dict of a checkpoint, or of a file that is nothing else; without DDP's prefix.

    Raises:
        CheckpointError: There is none, or it holds other things than tensors.
    """
    found = checkpoint.get('state_dict', checkpoint)
    if not isinstance(found, dict):
        raise CheckpointError(f'{path} has a {type(found).__name__} as its state_dict, not a dict.')
    wrong = [name for name, value in found.items() if not isinstance(value, Tensor)]
    if 'state_dict' not in checkpoint and (wrong or not found):
        raise CheckpointError(
            f'{path} has no state_dict, but {shortened(map(str, found)) or "nothing"}; expected a '
            f'checkpoint {WRITTEN_BY}.'
        )
    if wrong:
        raise CheckpointError(f'{path}: {wrong[0]!r} of its state_dict is no tensor.')
    weights = OrderedDict((name.removeprefix('module.'), value) for name, value in found.items())
    setattr(weights, METADATA, getattr(found, METADATA, None))
    return weights


def compare_weights(model: nn.Module, weights: dict[str, Tensor]) -> Match:
    """Compare names and shapes with those of a model's state dict; nothing is loaded."""
    own = model.state_dict()
    reshaped = _reshaped(own, weights)
    missing = [name for name in own if name not in weights and _counts(name)]
    unexpected = [name for name in weights if name not in own]
    fitting = sum(_counts(name) for name in own) - len(missing) - len(reshaped)
    return Match(fitting, missing, unexpected, list(reshaped.values()))


def load_weights(model: nn.Module, weights: dict[str, Tensor]) -> Match:
    """Load every weight that fits, after the layers have renamed those of older versions."""
    own = model.state_dict()
    reshaped = _reshaped(own, weights)
    kept = OrderedDict((name, value) for name, value in weights.items() if name not in reshaped)
    setattr(kept, METADATA, getattr(weights, METADATA, None))
    missing, unexpected = model.load_state_dict(kept, strict=False)
    inner = 'recognizer.'  # a student's weights are its recognizer's in the file
    missing = [name.removeprefix(inner) for name in missing if _counts(name)]
    missing = [name for name in missing if name not in reshaped]
    unexpected = [name.removeprefix(inner) for name in unexpected]
    fitting = sum(_counts(name) for name in own) - len(missing) - len(reshaped)
    return Match(fitting, missing, unexpected, list(reshaped.values()))


def load_strictly(
    model: nn.Module, checkpoint: dict[str, Any], path: str | Path, whose: str, advice: str
) -> None:
    """Load a checkpoint into the model that it was trained for.

    Args:
        whose: What the model is, for the error.
        advice: What to do, the end of the error.

    Raises:
        CheckpointError: It is of another model.
    """
    match = load_weights(model, weights_of(checkpoint, path))
    if not match.complete:
        raise CheckpointError(f'{path} does not fit {whose}: {match}. {advice}')


def shortened(names: Iterable[str]) -> str:
    """The first names, and how many there are."""
    names = list(names)
    return ', '.join(names[:SHOWN]) + (f', … ({len(names)})' if len(names) > SHOWN else '')


def _reshaped(own: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, str]:
    """Weights of another shape than the model's: name to name with both shapes."""
    return {
        name: f'{name} {tuple(value.shape)} instead of {tuple(own[name].shape)}'
        for name, value in weights.items()
        if name in own and own[name].shape != value.shape
    }


def _counts(name: str) -> bool:
    # Old versions of torch did not count the batches of a BatchNorm layer.
    return not name.endswith('num_batches_tracked')


def _read_file(path: Path, map_location: Any, mapped: bool = False) -> Any:
    problem = _damage(path)
    if problem:
        raise CheckpointError(f'{path} {problem}')
    mmap = mapped and zipfile.is_zipfile(path)
    try:
        return torch.load(path, map_location=map_location, weights_only=True, mmap=mmap)
    except Exception as error:  # torch raises a dozen types for files that are no checkpoints
        raise CheckpointError(f'{path} {_reason(error)}') from error


def _damage(path: Path) -> str | None:
    """What can be said without unpickling: the end of a sentence, or None."""
    if path.is_dir():
        return 'is a folder; expected a checkpoint file (.pth).'
    if not path.is_file():
        raise FileNotFoundError(f'There is no checkpoint {path}; correct the path.')
    size = path.stat().st_size
    with path.open('rb') as file:
        head = file.read(64)
    if not size:
        return 'is empty: copy it again, or give another checkpoint.'
    if head[:2] == b'PK':
        return _damage_of_archive(path)
    if head[8:9] == b'{' and int.from_bytes(head[:8], 'little') < size:
        return f'is a safetensors file; expected a checkpoint (.pth) {WRITTEN_BY}.'
    if head[:1] != b'\x80':
        start = head[:30].decode('ascii', 'replace').replace('\ufffd', '?')
        return f'is no checkpoint, it begins with {start!r}: give the path of a .pth file.'
    return None


def _damage_of_archive(path: Path) -> str | None:
    again = 'copy it again, or give another checkpoint'
    if not zipfile.is_zipfile(path):
        return f'is truncated: {again}.'
    try:
        with zipfile.ZipFile(path) as archive:
            if not any(name.endswith('/data.pkl') for name in archive.namelist()):
                return 'is a zip archive, but no checkpoint of PyTorch.'
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError) as error:
        return f'is damaged ({error}): {again}.'
    return f'is damaged, {damaged} does not fit its checksum: {again}.' if damaged else None


def _reason(error: Exception) -> str:
    """Why it could not be loaded, without torch's advice: the end of a sentence."""
    wanted = _IMPORT.search(str(error))
    if wanted:
        return (
            f'would import {wanted[1]} when it is loaded, which can run any code: it is refused. '
            'Save its weights alone, torch.save(dict(state_dict=…), path).'
        )
    if isinstance(error, ForgedCheckpointError):
        return f'is refused: {error}.'
    if isinstance(error, OSError):
        return f'cannot be read ({error}): look at the path or address.'
    kind = type(error).__name__
    return f'cannot be read as weights ({kind}): it is damaged, or no checkpoint of PyTorch.'
