"""The recognizer's own losses where some clips of the batch have no label."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mmaction.utils import SampleList
from torch import Tensor, nn

from ..joint_actions import ACTION
from ..labels import labelled_rows
from .logits import no_loss, rows_of_clips, run_recognizer
from .multitask_head import MultitaskHead


def label_losses(
    recognizer: Any, inputs: Tensor, data_samples: SampleList, **kwargs: Any
) -> dict[str, Tensor]:
    """`recognizer.loss` of the labelled clips; the backbone and the head see all of them.

    Without any labelled clip the loss is 0, of which every weight of the head has the gradient 0,
    and there are no accuracies.

    Raises:
        ValueError: The recognizer has a neck with a loss of its own, and a clip has no label.
    """
    head = recognizer.cls_head
    if isinstance(head, MultitaskHead):
        check_neck(recognizer, data_samples)
        return run_recognizer(recognizer, inputs, data_samples, 'loss', **kwargs)
    rows = labelled_rows(data_samples, [ACTION])[ACTION].rows
    if len(rows) == len(data_samples):
        return run_recognizer(recognizer, inputs, data_samples, 'loss', **kwargs)
    check_neck(recognizer, data_samples)
    if not rows:
        feats, head_kwargs = recognizer.extract_feat(inputs, data_samples=None)
        return dict(loss_cls=no_loss(head(feats, **head_kwargs)))
    with _rows_only(head, rows, len(data_samples)):
        labelled = [data_samples[i] for i in rows]
        return run_recognizer(recognizer, inputs, labelled, 'loss', **kwargs)


def check_neck(recognizer: Any, data_samples: SampleList) -> None:
    """Raise ValueError where a neck's auxiliary loss would miss the label of a clip."""
    if getattr(getattr(recognizer, 'neck', None), 'aux_head', None) is None:
        return
    for sample in data_samples:
        if 'unlabelled' in sample.metainfo or not ('gt_label' in sample or 'gt_labels' in sample):
            raise ValueError(
                f'The neck {type(recognizer.neck).__name__} has an auxiliary loss that needs the '
                f'label of every clip, but {sample.metainfo.get("sample_id", "?")!r} has none; '
                'set aux_head_cfg=None, or leave out the unlabelled clips.'
            )


@contextmanager
def _rows_only(head: nn.Module, clips: Sequence[int], num_clips: int) -> Iterator[None]:
    """Inside the block `head` returns the rows of some clips, so that its loss sees only these.

    Stock heads compute their loss behind `head.loss(feats, data_samples)`, and several override
    it; what all of them do is call themselves.
    """
    handle = head.register_forward_hook(
        lambda module, args, logits: rows_of_clips(logits, clips, num_clips)
    )
    try:
        yield
    finally:
        handle.remove()
