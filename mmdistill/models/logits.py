"""Logits of any recognizer as a dict from task to tensor, whatever head produced them.

Shape legend: B = clips in the batch, V = views per clip, K = classes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from ..labels import ACTION


def by_task(logits: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
    """Name the logits of a stock head `action`; leave those of a `MultitaskHead` as they are."""
    return dict(logits) if isinstance(logits, dict) else {ACTION: logits}


def mean_over_views(logits: dict[str, Tensor], num_clips: int) -> dict[str, Tensor]:
    """Average (B * V, K) logits over the views of each clip to (B, K)."""
    return {task: x.reshape(num_clips, -1, x.shape[-1]).mean(dim=1) for task, x in logits.items()}


def rows_of_clips(logits: Tensor, clips: Sequence[int], num_clips: int) -> Tensor:
    """The rows of some clips: (B * V, ...) -> (n * V, ...); of all clips the tensor itself."""
    if len(clips) == num_clips:
        return logits
    per_clip = len(logits) // num_clips
    return logits.unflatten(0, (num_clips, per_clip))[list(clips)].flatten(0, 1)


def no_loss(logits: Tensor) -> Tensor:
    """0 that depends on the logits: the gradients are zeros, for which DDP does wait."""
    return logits[:0].float().sum()


def recognizer_logits(recognizer: nn.Module, inputs: Tensor, num_clips: int) -> dict[str, Tensor]:
    """Logits of any MMAction2 recognizer at test: task -> (B, K), averaged over views."""
    feats, head_kwargs = recognizer.extract_feat(inputs, test_mode=True)
    return mean_over_views(by_task(recognizer.cls_head(feats, **head_kwargs)), num_clips)


def num_classes_by_task(recognizer: nn.Module) -> dict[str, int]:
    """Number of classes of each task that a recognizer's head distinguishes."""
    num_classes = recognizer.cls_head.num_classes
    return num_classes if isinstance(num_classes, dict) else {ACTION: num_classes}


@contextmanager
def captured_logits(head: nn.Module) -> Iterator[list[Tensor | dict[str, Tensor]]]:
    """Collect what `head` returns inside the block, so that its loss and ours share one forward.

    Upstream heads compute their loss behind `head.loss(feats)`; several override it. Listening to
    the head's forward leaves all of them as they are.
    """
    outputs: list[Tensor | dict[str, Tensor]] = []
    handle = head.register_forward_hook(lambda module, args, output: outputs.append(output))
    try:
        yield outputs
    finally:
        handle.remove()
