"""Outputs of named layers: found by name before training, listened to while a model runs."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

MAX_NAMED = 12


def check_layer(model: nn.Module, layer: str, owner: str) -> None:
    """Raise KeyError unless `model` has a module `layer`; names those most like it.

    Args:
        model: The bare recognizer.
        layer: As in `named_modules()`.
        owner: Whose layer it should be, for the message: 'the student'.
    """
    names = [name for name, _ in model.named_modules() if name]
    if layer in names:
        return
    near = difflib.get_close_matches(layer, names, n=4, cutoff=0.5)
    # Then what is there where the name still holds: below backbone for backbone.layer9.
    parent = layer
    while parent not in names and parent:
        parent = parent.rpartition('.')[0]
    depth = parent.count('.') + 1 if parent else 0
    there = [n for n in names if n.startswith(parent and f'{parent}.') and n.count('.') == depth]
    named = [*near, *(name for name in there if name not in near)][:MAX_NAMED]
    raise KeyError(
        f'There is no layer {layer!r} in {owner}; did you mean one of {", ".join(named)}? It has '
        f'{len(names)}, see named_modules() of its recognizer.'
    )


@contextmanager
def captured_features(model: nn.Module, layers: Iterable[str]) -> Iterator[dict[str, Tensor]]:
    """Collect the outputs of `layers` while the block runs the model, layer -> tensor.

    The layers are listened to inside the block only, and nothing but the dict holds the tensors.
    Of a layer that runs several times the last output counts. What gradient checkpointing runs
    again during the backward pass is no longer heard.

    Raises:
        TypeError: A layer returns something else than one tensor.
    """
    features: dict[str, Tensor] = {}
    modules = dict(model.named_modules())

    def listen(layer: str) -> Any:
        def keep(module: nn.Module, args: Any, output: Any) -> None:
            features[layer] = _one_tensor(output, layer)

        return modules[layer].register_forward_hook(keep)

    handles = []
    try:
        handles += [listen(layer) for layer in dict.fromkeys(layers)]
        yield features
    finally:
        for handle in handles:
            handle.remove()


def feature_of(features: dict[str, Tensor], layer: str, owner: str) -> Tensor:
    """The captured output of `layer`; RuntimeError if the layer did not run."""
    if layer not in features:
        raise RuntimeError(
            f'The layer {layer!r} of {owner} did not run: it is there, but its forward is not '
            'called by this model; name a module around it.'
        )
    return features[layer]


def _one_tensor(output: Any, layer: str) -> Tensor:
    parts = output if isinstance(output, (tuple, list)) else [output]
    tensors = [part for part in parts if isinstance(part, Tensor)]
    if len(tensors) != 1:
        raise TypeError(
            f'The layer {layer!r} returns a {type(output).__name__} with {len(tensors)} tensors; a '
            'feature loss needs one: name a layer inside or behind it.'
        )
    return tensors[0]
