"""A published model: one safetensors file with the weights and all that a prediction needs.

The metadata are JSON (`described`); nothing in the file is executed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..files import write_whole
from .described import ENTRY, WRITTEN_BY, PublishedModel, described_from, description_of


def write_published(
    path: str | Path, model: PublishedModel, weights: Mapping[str, Tensor]
) -> PublishedModel:
    """Write the file, as a whole or not at all; returns the model with the digest of its weights.

    Raises:
        TypeError: The metadata hold what JSON cannot.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    model = replace(model, weights_sha256=weights_digest(tensors))
    write_whole(path, save(tensors, metadata={ENTRY: description_of(model)}))
    return model


def read_published(path: str | Path) -> tuple[PublishedModel, dict[str, Tensor]]:
    """Read the metadata and the weights of a published model.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, of another kind or of a newer format.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'There is no model {path}; {WRITTEN_BY}.')
    try:
        with safe_open(path, framework='pt') as file:
            text = (file.metadata() or {}).get(ENTRY)
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(
            f'{path} is no safetensors file, or damaged ({error}); {WRITTEN_BY}.'
        ) from (error)
    if text is None:
        raise ValueError(f'{path} holds weights without a description; {WRITTEN_BY}.')
    model = described_from(path, text)
    if weights_digest(weights) != model.weights_sha256:
        raise ValueError(
            f'{path} is damaged: the weights do not fit their checksum; copy it again.'
        )
    return model, weights


def is_published(path: Path) -> bool:
    """Whether a file is a published model, as far as its head tells."""
    try:
        with safe_open(path, framework='pt') as file:
            return ENTRY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        value = weights[name].detach().cpu().contiguous()
        digest.update(f'{name} {value.dtype} {tuple(value.shape)}\n'.encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
