"""Tokens of several modalities, fused by a transformer that knows what is missing.

KARMMA (Santos-Villafranca et al., *Knowledge Distillation for Multimodal Egocentric Action
Recognition Robust to Missing Modalities*, arXiv 2504.08578): a class token and the tokens of every
modality, each with a learned modality token and a learned position, through a small transformer. A
missing modality is not skipped: its tokens are the modality token and the positions alone.
Shape legend: R = clips times views, M = modalities, L = tokens of a modality, C = channels of its
extractor, D = embed_dims.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..ranges import FRACTION, ONE_OR_MORE
from .detection_encoder import transformer

ABSENT = ('token', 'zero', 'skip')


class TokenFusion(nn.Module):
    """Embed the tokens of each modality and let them attend to each other.

    Args:
        in_channels: Modality to C, in the order of the modalities.
        num_tokens: Modality to L, or one number for all.
        embed_dims: D.
        num_layers: Of the transformer.
        num_heads: Of its attention.
        dropout: After the embedding and inside the transformer.
        absent: What stands for a missing modality: 'token', the modality token and the positions
            (KARMMA); 'zero', whatever its extractor makes of zeros, as in a network that knows
            nothing of missing modalities; 'skip', nothing: nobody attends to it.
        modality_tokens: Whether there is a learned token for each modality.

    Raises:
        ValueError: A number is out of its range, or `absent` is another word.
    """

    def __init__(
        self,
        in_channels: Mapping[str, int],
        num_tokens: int | Mapping[str, int] = 4,
        embed_dims: int = 128,
        num_layers: int = 2,
        num_heads: int = 4,
        dropout: float = 0.1,
        absent: str = 'token',
        modality_tokens: bool = True,
    ) -> None:
        super().__init__()
        if not isinstance(num_tokens, Mapping):
            num_tokens = dict.fromkeys(in_channels, num_tokens)
        if num_tokens.keys() != in_channels.keys():
            raise ValueError(
                f'in_channels is given for {sorted(in_channels)}, num_tokens for '
                f'{sorted(num_tokens)}; give both for the same modalities.'
            )
        ONE_OR_MORE.check(embed_dims=embed_dims, num_layers=num_layers, num_heads=num_heads)
        ONE_OR_MORE.check(**{f'num_tokens of {name}': n for name, n in num_tokens.items()})
        ONE_OR_MORE.check(**{f'in_channels of {name}': n for name, n in in_channels.items()})
        FRACTION.check(dropout=dropout)
        if absent not in ABSENT:
            raise ValueError(f'absent is {absent!r}; expected one of {list(ABSENT)}.')
        self.in_channels, self.num_tokens = dict(in_channels), dict(num_tokens)
        self.embed_dims, self.absent = embed_dims, absent
        self.embedding = nn.ModuleDict(
            {n: nn.Linear(c, embed_dims) for n, c in in_channels.items()}
        )
        self.position = nn.ParameterDict(
            {n: _learned(k, embed_dims) for n, k in num_tokens.items()}
        )
        names = list(in_channels) if modality_tokens else []
        self.modality_token = nn.ParameterDict({name: _learned(1, embed_dims) for name in names})
        self.class_token = _learned(1, embed_dims)
        self.norm = nn.Sequential(nn.LayerNorm(embed_dims), nn.Dropout(dropout))
        self.transformer = transformer(embed_dims, num_layers, num_heads, dropout)

    def forward(self, tokens: Mapping[str, Tensor], present_RM: Tensor) -> Tensor:
        """Fuse to (R, 1 + M, D): the class token, and the mean of each modality's output tokens.

        Args:
            tokens: Modality to (R, L, C).
            present_RM: Which row has which modality, bool.

        Raises:
            ValueError: Tokens have another width or number than the config says.
        """
        parts = [self.class_token.expand(len(present_RM), 1, -1)]
        for m, name in enumerate(self.in_channels):
            self._check(name, tokens[name])
            parts.append(self._embed(name, tokens[name], present_RM[:, m]))
        x = self.norm(torch.cat(parts, dim=1))
        lengths = [1, *self.num_tokens.values()]
        hidden = None
        if self.absent == 'skip':
            columns = [torch.ones_like(present_RM[:, :1]), *present_RM.split(1, dim=1)]
            widths = zip(columns, lengths, strict=True)
            hidden = ~torch.cat([there.expand(-1, n) for there, n in widths], dim=1)
        x = self.transformer(x, src_key_padding_mask=hidden)
        return torch.stack([part.mean(dim=1) for part in x.split(lengths, dim=1)], dim=1)

    def _embed(self, name: str, tokens_RLC: Tensor, present_R: Tensor) -> Tensor:
        x = self.embedding[name](tokens_RLC)
        if self.absent != 'zero':
            # Chosen, not multiplied: whatever stands in a missing clip, even a NaN, is gone.
            x = torch.where(present_R[:, None, None], x, torch.zeros_like(x))
        if name in self.modality_token:
            x = x + self.modality_token[name]
        return x + self.position[name]

    def _check(self, name: str, tokens_RLC: Tensor) -> None:
        wanted = (self.num_tokens[name], self.in_channels[name])
        if tuple(tokens_RLC.shape[1:]) != wanted:
            raise ValueError(
                f'The extractor of {name!r} gives {tokens_RLC.shape[1]} tokens of width '
                f'{tokens_RLC.shape[2]}, but the config says {wanted[0]} of width {wanted[1]}: set '
                f'in_channels of {name} to {tokens_RLC.shape[2]}.'
            )


def _learned(number: int, embed_dims: int) -> nn.Parameter:
    return nn.Parameter(0.02 * torch.randn(number, embed_dims))
