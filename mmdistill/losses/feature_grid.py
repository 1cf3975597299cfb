"""Features of any layer as one shape: (B, C, T, H, W), a grid of positions per clip.

Shape legend: N = rows of a layer's output, B clips times whatever the network folds into its batch
(views, segments, frames, windows); C = channels, T H W = grid, L = tokens without a grid.
"""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

# What a layer's output is taken for if nothing is said.
LAYOUTS = {5: 'NCTHW', 4: 'NCHW', 3: 'NLC', 2: 'NC'}


def clip_grid(feature: Tensor, num_clips: int, layout: str | None = None) -> Tensor:
    """Bring a layer's output to (B, C, T, H, W).

    Rows of the same clip (frames of a 2D network, views) follow each other along T. Tokens (L) are
    averaged, axes that are not there get size 1.

    Args:
        feature: (N, ...), the rows of each clip side by side.
        num_clips: B, a divisor of N.
        layout: The axes in order, such as 'NTHWC'; None: see `LAYOUTS`.

    Raises:
        ValueError: The layout does not fit the feature, or N is no multiple of B.
    """
    layout = layout or LAYOUTS.get(feature.ndim, '')
    if len(layout) != feature.ndim:
        raise ValueError(
            f'A feature of shape {tuple(feature.shape)} does not have the layout {layout!r}; give '
            "the loss a student_layout or expert_layout with a letter per axis, such as 'NTHWC'."
        )
    if feature.shape[0] % num_clips:
        raise ValueError(
            f'A feature of shape {tuple(feature.shape)} cannot be dealt out to {num_clips} clips: '
            'its first axis must be a multiple; name a layer whose rows are clips, views or frames.'
        )
    if 'L' in layout:
        feature = feature.mean(dim=layout.index('L'))
        layout = layout.replace('L', '')
    feature = feature.permute([layout.index(axis) for axis in 'NCTHW' if axis in layout])
    for dim, axis in enumerate('NCTHW'):
        if axis not in layout:
            feature = feature.unsqueeze(dim)
    # (B * S, C, T, H, W) -> (B, C, S * T, H, W)
    return feature.unflatten(0, (num_clips, -1)).transpose(1, 2).flatten(2, 3)


def check_layout(layout: str | None) -> None:
    """Raise ValueError unless `layout` names axes that `clip_grid` knows, the rows first."""
    if layout is None:
        return
    letters = set(layout)
    known = letters <= set('NCTHWL') and len(letters) == len(layout)
    if not known or not layout.startswith('N') or 'C' not in letters:
        raise ValueError(
            f'A layout begins with N, has a C, and may have T, H, W and L (tokens), each once; got '
            f"{layout!r}. Examples: 'NCTHW', 'NTHWC', 'NLC'."
        )


def on_common_grid(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Average-pool (B, C, T, H, W) features to the smaller of their grids, axis by axis."""
    grid: Any = smaller_grid(a.shape[2:], b.shape[2:])  # torch wants a tuple of exactly three
    return F.adaptive_avg_pool3d(a, grid), F.adaptive_avg_pool3d(b, grid)


def smaller_grid(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...]:
    """The smaller size of each axis."""
    return tuple(min(sizes) for sizes in zip(a, b, strict=True))
