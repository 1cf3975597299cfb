"""Logits of any recognizer as a dict from task to tensor, whatever head produced them.

Shape legend: B = clips in the batch, V = views per clip, K = classes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from mmaction.models import OmniHead, RecognizerOmni
from mmaction.utils import ForwardResults, SampleList
from torch import Tensor, nn

from ..joint_actions import ACTION

HeadOutput = Tensor | dict[str, Tensor] | tuple[Tensor, ...] | list[Tensor]


def by_task(output: HeadOutput, head: nn.Module) -> dict[str, Tensor]:
    """Name what `head` returned by task: that of a stock head is `action`.

    A stock head with several answers to the one question, such as RGBPoseHead with its two
    streams, counts as their mean: how MMAction2 adds them up to score RGBPoseConv3D.
    """
    if isinstance(head.num_classes, dict):
        return dict(cast(dict[str, Tensor], output))
    if isinstance(output, Tensor):
        return {ACTION: output}
    streams = list(output.values() if isinstance(output, dict) else output)
    return {ACTION: torch.stack(streams).mean(dim=0)}


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


def recognizer_logits(recognizer: Any, inputs: Any, num_clips: int) -> dict[str, Tensor]:
    """Logits of any MMAction2 recognizer at test: task -> (B, K), averaged over views."""
    found = logits_of_views(recognizer, inputs, num_clips)
    return {task: logits_BVK.mean(dim=1) for task, logits_BVK in found.items()}


def logits_of_views(recognizer: Any, inputs: Any, num_clips: int) -> dict[str, Tensor]:
    """Logits of any MMAction2 recognizer at test, those of each view: task -> (B, V, K)."""
    found = recognizer.extract_feat(inputs, test_mode=True)
    # RecognizerOmni alone returns bare features.
    feats, head_kwargs = found if isinstance(found, tuple) else (found, {})
    head = recognizer.cls_head
    logits = by_task(head(feats, **head_kwargs), head)
    return {task: x.reshape(num_clips, -1, x.shape[-1]) for task, x in logits.items()}


def run_recognizer(
    recognizer: Any, inputs: Any, data_samples: SampleList | None, mode: str, **kwargs: Any
) -> ForwardResults:
    """Call a recognizer's forward; RecognizerOmni takes one dict per source of a batch."""
    if isinstance(recognizer, RecognizerOmni) and mode != 'tensor':
        return recognizer(dict(inputs=inputs, data_samples=data_samples), mode=mode, **kwargs)
    if isinstance(recognizer, RecognizerOmni):
        return recognizer(inputs, mode=mode, **kwargs)
    return recognizer(inputs, data_samples, mode=mode, **kwargs)


def num_classes_by_task(recognizer: Any) -> dict[str, int]:
    """Number of classes of each task that a recognizer's head distinguishes."""
    head = recognizer.cls_head
    if isinstance(head, OmniHead):
        # Its `num_classes` counts the classes of images; those of clips are its last layer's.
        return {ACTION: head.fc3d[-1].out_features}
    return head.num_classes if isinstance(head.num_classes, dict) else {ACTION: head.num_classes}


@contextmanager
def captured_logits(head: nn.Module) -> Iterator[list[HeadOutput]]:
    """Collect what `head` returns inside the block, so that its loss and ours share one forward.

    Upstream heads compute their loss behind `head.loss(feats)`; several override it. Listening to
    the head's forward leaves all of them as they are.
    """
    outputs: list[HeadOutput] = []
    handle = head.register_forward_hook(lambda module, args, output: outputs.append(output))
    try:
        yield outputs
    finally:
        handle.remove()
