"""STLT: a transformer over the boxes of each frame, then one over the frames of the clip.

Shape legend: B = clips (views in the batch), T = frames, N = boxes of a frame, D = embed_dims.
A box is 6 + feature_dims numbers: x1 y1 x2 y2 (fractions of the frame), score, label, ROI feature.
"""

import torch
from torch import Tensor, nn

from ..ranges import COUNT, FRACTION, ONE_OR_MORE

BOX_COLUMNS = 6
# Motion is a few percent of the frame. At its own scale it drowns in the category embedding:
# a toy of boxes drifting left or right stayed at chance for 200 iterations, at 10 it took 50.
BOX_SCALE = 10.0


class DetectionEncoder(nn.Module):
    """Encode the layout of objects over time, from detections alone, into one vector per clip.

    Radevski et al., *Revisiting spatio-temporal layouts for compositional action recognition*,
    BMVC 2021, https://arxiv.org/abs/2111.01936; as the detection expert of *Multimodal
    Distillation for Egocentric Action Recognition*, ICCV 2023. Three differences: boxes enter
    centred and scaled by `BOX_SCALE`, layers normalise first, and a box may bring an ROI feature.

    Boxes of a frame are a set: their order means nothing. Rows with score 0 or label -1 are padding
    and are never attended; a frame without any box is encoded by its class token alone.

    Sizes: the default suits the demo (0.8 M parameters). The paper's are `embed_dims=768,
    num_layers=(6, 6), num_heads=8, causal=True` (85 M).

    Args:
        num_categories: Classes of the detector.
        feature_dims: Length of the ROI feature of a box; 0 where there is none.
        embed_dims: D.
        num_layers: Layers of the spatial and of the temporal transformer.
        num_heads: Attention heads of both.
        dropout: After the embeddings and inside both transformers.
        max_frames: Longest clip; there is a learned position for each frame.
        causal: Let a frame attend only to itself and to earlier ones, as the paper does; the
            class token, which stands last, sees all.
    """

    def __init__(
        self,
        num_categories: int,
        feature_dims: int = 0,
        embed_dims: int = 128,
        num_layers: tuple[int, int] = (2, 2),
        num_heads: int = 4,
        dropout: float = 0.1,
        max_frames: int = 32,
        causal: bool = False,
    ) -> None:
        super().__init__()
        ONE_OR_MORE.check(
            num_categories=num_categories,
            embed_dims=embed_dims,
            num_heads=num_heads,
            max_frames=max_frames,
        )
        ONE_OR_MORE.check_pair(num_layers=num_layers)
        COUNT.check(feature_dims=feature_dims)
        FRACTION.check(dropout=dropout)
        self.num_categories = num_categories
        self.feature_dims = feature_dims
        self.embed_dims = embed_dims
        self.max_frames = max_frames
        self.causal = causal

        self.category_embedding = nn.Embedding(num_categories, embed_dims)
        self.box_embedding = nn.Linear(4, embed_dims)
        self.score_embedding = nn.Linear(1, embed_dims)
        self.feature_embedding: nn.Module | None = None
        if feature_dims:
            self.feature_embedding = nn.Sequential(
                nn.LayerNorm(feature_dims), nn.Linear(feature_dims, embed_dims)
            )
        self.embedding_norm = nn.Sequential(nn.LayerNorm(embed_dims), nn.Dropout(dropout))
        self.frame_token = nn.Parameter(torch.randn(embed_dims))
        self.spatial = transformer(embed_dims, num_layers[0], num_heads, dropout)

        self.position_embedding = nn.Embedding(max_frames, embed_dims)
        self.position_norm = nn.Sequential(nn.LayerNorm(embed_dims), nn.Dropout(dropout))
        self.clip_token = nn.Parameter(torch.randn(embed_dims))
        self.temporal = transformer(embed_dims, num_layers[1], num_heads, dropout)

    def forward(self, x_BTNF: Tensor) -> Tensor:
        """Encode detections (B, T, N, 6 + feature_dims) to (B, D).

        Raises:
            ValueError: The shape does not fit, there are more frames than positions, or a label
                lies beyond the detector's classes.
        """
        return self.tokens(x_BTNF)[:, -1]

    def tokens(self, x_BTNF: Tensor) -> Tensor:
        """As `forward`, with what it makes of each frame: (B, T + 1, D), the class token last."""
        self._check(x_BTNF)
        frames_BTD = self._encode_frames(x_BTNF)
        batch, num_frames, _ = frames_BTD.shape
        frames_BTD = self.position_norm(frames_BTD + self.position_embedding.weight[:num_frames])
        token_B1D = self.clip_token.expand(batch, 1, -1)
        tokens = torch.cat([frames_BTD, token_B1D], dim=1)
        mask = None
        if self.causal:
            order = torch.arange(num_frames + 1, device=tokens.device)
            mask = order > order[:, None]
        return self.temporal(tokens, mask=mask)

    def _encode_frames(self, x_BTNF: Tensor) -> Tensor:
        batch, num_frames = x_BTNF.shape[:2]
        is_padding_BTN = (x_BTNF[..., 4] <= 0) | (x_BTNF[..., 5] < 0)
        # What padding rows hold must not matter, not even a NaN: 0 * NaN would pass the mask.
        boxes = self._embed_boxes(x_BTNF.masked_fill(is_padding_BTN[..., None], 0))
        token = self.frame_token.expand(batch, num_frames, 1, -1)
        tokens = torch.cat([token, boxes], dim=2).flatten(0, 1)
        is_padding = nn.functional.pad(is_padding_BTN, (1, 0), value=False).flatten(0, 1)
        encoded = self.spatial(tokens, src_key_padding_mask=is_padding)
        return encoded[:, 0].unflatten(0, (batch, num_frames))

    def _embed_boxes(self, x_BTNF: Tensor) -> Tensor:
        embedded = (
            self.category_embedding(x_BTNF[..., 5].long())
            + self.box_embedding((x_BTNF[..., :4] - 0.5) * BOX_SCALE)
            + self.score_embedding(x_BTNF[..., 4:5])
        )
        if self.feature_embedding is not None:
            embedded = embedded + self.feature_embedding(x_BTNF[..., BOX_COLUMNS:])
        return self.embedding_norm(embedded)

    def _check(self, x_BTNF: Tensor) -> None:
        width = BOX_COLUMNS + self.feature_dims
        if x_BTNF.ndim != 4 or x_BTNF.shape[-1] != width:
            raise ValueError(
                f'Expected detections of shape (B, T, N, {width}), that is 6 columns and '
                f'{self.feature_dims} of an ROI feature, got {tuple(x_BTNF.shape)}; '
                'set feature_dims to the feature size of the detection file.'
            )
        if x_BTNF.shape[1] > self.max_frames:
            raise ValueError(
                f'The clip has {x_BTNF.shape[1]} frames, but the encoder only {self.max_frames} '
                'positions; raise max_frames or sample fewer frames.'
            )
        if x_BTNF.numel() and x_BTNF[..., 5].max() >= self.num_categories:
            raise ValueError(
                f'Label {int(x_BTNF[..., 5].max())} is beyond the {self.num_categories} categories '
                'of the encoder; set num_categories to the number of classes of the detector.'
            )


def transformer(
    embed_dims: int, num_layers: int, num_heads: int, dropout: float
) -> nn.TransformerEncoder:
    """A pre-norm encoder of GELU layers, batch first, each layer with weights of its own."""
    layers = [
        nn.TransformerEncoderLayer(
            embed_dims,
            num_heads,
            dim_feedforward=4 * embed_dims,
            dropout=dropout,
            activation='gelu',
            batch_first=True,
            norm_first=True,
        )
        for _ in range(num_layers)
    ]
    encoder = nn.TransformerEncoder(
        layers[0], num_layers, norm=nn.LayerNorm(embed_dims), enable_nested_tensor=False
    )
    # PyTorch fills the encoder with copies of one layer, which would all start from equal weights.
    encoder.layers = nn.ModuleList(layers)
    return encoder
