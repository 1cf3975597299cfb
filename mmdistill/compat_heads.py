"""Repairs of MMAction2's heads, beside those of `compat.py` and in their manner.

Called by `mmdistill.models`, since they import `mmaction.models`.
"""

import functools
from typing import Any

import torch


def renew_fcn_classifier() -> None:
    """Let TPNHead copy its classifier anew at each fully convolutional test.

    Upstream: `TPNHead` of MMAction2 1.2.0 keeps the copy of the first test as a submodule, so that
    later tests of a training judge old weights and checkpoints hold keys that a new model lacks;
    not reported. May go when it builds no module inside `forward`.
    """
    from mmaction.models import TPNHead

    original = TPNHead.forward
    if hasattr(original, '__wrapped__'):
        return

    @functools.wraps(original)
    def forward(self: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        try:
            return original(self, *args, **kwargs)
        finally:
            self.new_cls = None

    TPNHead.forward = forward


def train_in_bfloat16() -> None:
    """Let heads train in mixed precision with bfloat16.

    Upstream: `BaseHead.loss_by_feat` of MMAction2 1.2.0 measures its accuracy in NumPy, which has
    no bfloat16; not reported. May go when it converts the scores.
    """
    from mmaction.models import BaseHead

    original = BaseHead.loss_by_feat
    if hasattr(original, '__wrapped__'):
        return

    @functools.wraps(original)
    def loss_by_feat(
        self: Any, cls_scores: torch.Tensor, data_samples: list[Any]
    ) -> dict[str, Any]:
        if cls_scores.dtype == torch.bfloat16:
            cls_scores = cls_scores.float()
        return original(self, cls_scores, data_samples)

    BaseHead.loss_by_feat = loss_by_feat
