"""The classifier of a fusion model: one for the class token and for every modality.

Shape legend: R = clips times views, S = 1 + M streams, D = embed_dims, K = classes.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ..ranges import FRACTION, ONE_OR_MORE
from ..registry import MODELS
from .multitask_head import MultitaskHead

STREAMS = ('present', 'all', 'cls')


def mean_of_streams(logits_RSK: Tensor, counted_RS: Tensor) -> Tensor:
    """Mean over the streams that count, (R, K); the class token's always does."""
    counted_RS = counted_RS.to(logits_RSK.dtype)
    summed_RK = torch.einsum('rsk,rs->rk', logits_RSK, counted_RS)
    return summed_RK / counted_RS.sum(1, keepdim=True)


@MODELS.register_module()
class FusionHead(MultitaskHead):
    """One MLP and one classifier per task for all streams; their logits are averaged.

    KARMMA (arXiv 2504.08578): the same multi-head MLP predicts from the class token and from the
    mean of each modality's tokens. What the paper's figures leave open: logits are averaged, not
    probabilities, and missing modalities do not count (`streams`).

    Args:
        heads: See `MultitaskHead`; `in_channels` is `mlp_dims`.
        embed_dims: D.
        mlp_dims: Width of the hidden layer; None for D.
        dropout: Behind it.
        streams: Whose predictions are averaged: 'present', the class token's and those of the
            modalities that the clip has; 'all', missing ones, too; 'cls', the class token's alone.
        average_clips: See `MultitaskHead`.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: `streams` is another word, or a head expects other channels.
    """

    def __init__(
        self,
        heads: dict[str, dict[str, Any]],
        embed_dims: int,
        mlp_dims: int | None = None,
        dropout: float = 0.1,
        streams: str = 'present',
        average_clips: str | None = 'score',
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(heads, average_clips=average_clips, init_cfg=init_cfg)
        ONE_OR_MORE.check(embed_dims=embed_dims)
        ONE_OR_MORE.check_optional(mlp_dims=mlp_dims)
        FRACTION.check(dropout=dropout)
        if streams not in STREAMS:
            raise ValueError(f'streams is {streams!r}; expected one of {list(STREAMS)}.')
        width = mlp_dims or embed_dims
        for task, head in self.heads.items():
            if head.in_channels != width:
                raise ValueError(
                    f'The head of task {task!r} expects {head.in_channels} channels, but the MLP '
                    f'gives {width}; set in_channels to mlp_dims.'
                )
        self.streams = streams
        self.mlp = nn.Sequential(
            nn.LayerNorm(embed_dims), nn.Linear(embed_dims, width), nn.GELU(), nn.Dropout(dropout)
        )

    def forward(self, x: tuple[Tensor, Tensor], **kwargs: Any) -> dict[str, Tensor]:
        """Classify streams (R, S, D), of which (R, M) are present: task -> logits (R, K)."""
        streams_RSD, present_RM = x
        num_rows, num_streams = streams_RSD.shape[:2]
        hidden = self.mlp(streams_RSD).flatten(0, 1)[..., None, None, None]
        logits = super().forward(hidden, **kwargs)
        counted_RS = self._counted(present_RM)
        return {
            task: mean_of_streams(x.unflatten(0, (num_rows, num_streams)), counted_RS)
            for task, x in logits.items()
        }

    def _counted(self, present_RM: Tensor) -> Tensor:
        ones_R1 = torch.ones_like(present_RM[:, :1])
        others = dict(
            present=present_RM,
            all=torch.ones_like(present_RM),
            cls=torch.zeros_like(present_RM),
        )
        return torch.cat([ones_R1, others[self.streams]], dim=1)
