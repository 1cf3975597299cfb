"""A transformer over the keypoints of a clip.

Shape legend: B = clips (views in the batch), T = samples, J = keypoints, D = embed_dims.
"""

import torch
from torch import Tensor, nn

from mmdistill.ranges import FRACTION, ONE_OR_MORE
from mmdistill.registry import MODELS


@MODELS.register_module()
class KeypointTransformer(nn.Module):
    """Encode keypoints over time into one vector per clip: the backbone of a `Recognizer3D`.

    A token is one sample: where the keypoints are, and how far they moved since the sample before.
    The clip is the mean of the encoded tokens.

    Args:
        num_keypoints: J.
        embed_dims: D.
        num_layers: Layers of the transformer.
        num_heads: Attention heads.
        dropout: Inside the transformer.
        max_samples: Longest clip; there is a learned position for each sample.
    """

    def __init__(
        self,
        num_keypoints: int,
        embed_dims: int = 64,
        num_layers: int = 2,
        num_heads: int = 4,
        dropout: float = 0.1,
        max_samples: int = 64,
    ) -> None:
        super().__init__()
        ONE_OR_MORE.check(
            num_keypoints=num_keypoints,
            embed_dims=embed_dims,
            num_layers=num_layers,
            num_heads=num_heads,
            max_samples=max_samples,
        )
        FRACTION.check(dropout=dropout)
        self.num_keypoints = num_keypoints
        self.max_samples = max_samples
        # Steps are a hundredth of positions: each number is brought to the same scale first.
        self.scale = nn.BatchNorm1d(4 * num_keypoints)
        self.embedding = nn.Linear(4 * num_keypoints, embed_dims)
        self.position_embedding = nn.Parameter(0.02 * torch.randn(max_samples, embed_dims))
        layer = nn.TransformerEncoderLayer(
            embed_dims,
            num_heads,
            dim_feedforward=2 * embed_dims,
            dropout=dropout,
            activation='gelu',
            batch_first=True,
            norm_first=True,
        )
        self.transformer = nn.TransformerEncoder(
            layer, num_layers, norm=nn.LayerNorm(embed_dims), enable_nested_tensor=False
        )

    def forward(self, x_BTJ2: Tensor) -> Tensor:
        """Encode (B, T, J, 2) to (B, D, 1, 1, 1): features as the heads of MMAction2 want them.

        Raises:
            ValueError: The shape does not fit, or there are more samples than positions.
        """
        self._check(x_BTJ2)
        steps = torch.diff(x_BTJ2, dim=1, prepend=x_BTJ2[:, :1])
        numbers = torch.cat([x_BTJ2, steps], dim=-1).flatten(2)
        scaled = self.scale(numbers.transpose(1, 2)).transpose(1, 2)
        tokens = self.embedding(scaled) + self.position_embedding[: x_BTJ2.shape[1]]
        return self.transformer(tokens).mean(dim=1)[..., None, None, None]

    def _check(self, x_BTJ2: Tensor) -> None:
        expected = (self.num_keypoints, 2)
        if x_BTJ2.ndim != 4 or x_BTJ2.shape[2:] != expected:
            raise ValueError(
                f'Expected keypoints of shape (B, T, {self.num_keypoints}, 2), got '
                f'{tuple(x_BTJ2.shape)}; set num_keypoints to the number that the modality reads.'
            )
        if x_BTJ2.shape[1] > self.max_samples:
            raise ValueError(
                f'The clip has {x_BTJ2.shape[1]} samples, but there are only {self.max_samples} '
                'positions; raise max_samples or lower clip_len of the modality.'
            )
