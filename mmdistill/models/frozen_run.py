"""How a frozen model runs: without gradients, in a precision of its own, compiled where asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

PRECISIONS = dict(bfloat16=torch.bfloat16, float16=torch.float16)
PARTS = ('backbone', 'neck', 'cls_head')


def check_precision(autocast: str | None, owner: str) -> torch.dtype | None:
    """The dtype of a name; None, which is full precision, stays.

    Raises:
        ValueError: The name is another one.
    """
    if autocast is None or autocast in PRECISIONS:
        return PRECISIONS[autocast] if autocast else None
    raise ValueError(
        f'{owner} has autocast={autocast!r}; expected one of {sorted(PRECISIONS)}, or None for '
        'full precision.'
    )


@contextmanager
def own_precision(device: torch.device, dtype: torch.dtype | None) -> Iterator[None]:
    """Inside, torch's autocast is to `dtype`, or off; what the caller trains in does not matter."""
    with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
        yield


def without_gradients(inference_mode: bool) -> Any:
    """A context in which nothing is recorded for a backward pass.

    What is computed under inference mode may not enter one later, either.
    """
    return torch.inference_mode() if inference_mode else torch.no_grad()


def compile_recognizer(recognizer: nn.Module, options: bool | dict[str, Any]) -> bool:
    """Compile backbone, neck and head in place; names and state dict stay as they are.

    Args:
        recognizer: Any MMAction2 recognizer.
        options: False for nothing, True, or arguments of `torch.compile`.

    Returns:
        Whether anything was compiled.
    """
    if options is False:
        return False
    for part in PARTS:
        module = getattr(recognizer, part, None)
        if isinstance(module, nn.Module):
            module.compile(**({} if options is True else options))
    return True
