"""Features of any rank become (B, C, T, H, W), clip by clip."""

import pytest
import torch

from mmdistill.losses import clip_grid
from mmdistill.losses.feature_grid import check_layout, on_common_grid


def test_clips_of_a_3d_network_stay():
    feature = torch.randn(2, 3, 4, 5, 6)
    assert torch.equal(clip_grid(feature, 2), feature)


def test_views_and_frames_follow_each_other_along_time():
    views = torch.randn(6, 3, 2, 5, 4)  # 2 clips x 3 views
    grid = clip_grid(views, 2)
    assert grid.shape == (2, 3, 6, 5, 4)
    assert torch.equal(grid[1, :, 2:4], views[4])
    frames = torch.randn(8, 3, 5, 4)  # 2 clips x 4 frames
    grid = clip_grid(frames, 2)
    assert grid.shape == (2, 3, 4, 5, 4)
    assert torch.equal(grid[1, :, 2], frames[6])


def test_tokens_are_averaged_and_vectors_are_a_point():
    tokens = torch.randn(2, 7, 3)
    assert torch.allclose(clip_grid(tokens, 2)[:, :, 0, 0, 0], tokens.mean(1))
    vectors = torch.randn(4, 3)
    grid = clip_grid(vectors, 2)
    assert grid.shape == (2, 3, 2, 1, 1)
    assert torch.equal(grid[1, :, 1, 0, 0], vectors[3])


def test_a_layout_moves_the_axes():
    feature = torch.randn(2, 4, 5, 6, 3)
    grid = clip_grid(feature, 2, 'NTHWC')
    assert torch.equal(grid, feature.permute(0, 4, 1, 2, 3))
    assert clip_grid(feature[:, 0], 2, 'NHWC').shape == (2, 3, 1, 5, 6)
    assert clip_grid(torch.randn(2, 3, 7), 2, 'NCT').shape == (2, 3, 7, 1, 1)


def test_the_smaller_size_of_each_axis_wins():
    a, b = torch.randn(2, 3, 4, 2, 6), torch.randn(2, 5, 2, 4, 6)
    pooled_a, pooled_b = on_common_grid(a, b)
    assert pooled_a.shape == (2, 3, 2, 2, 6)
    assert pooled_b.shape == (2, 5, 2, 2, 6)
    assert torch.allclose(pooled_a[:, :, 1, 1, 5], a[:, :, 2:, 1, 5].mean(2))
    assert torch.allclose(pooled_b[:, :, 1, 1, 5], b[:, :, 1, 2:, 5].mean(2))


def test_what_does_not_fit():
    with pytest.raises(ValueError, match=r'\(3, 4\) cannot be dealt out to 2 clips'):
        clip_grid(torch.randn(3, 4), 2)
    with pytest.raises(ValueError, match="'NTHWC'"):
        clip_grid(torch.randn(2, 3, 4), 2, 'NTHWC')
    with pytest.raises(ValueError, match='letter per axis'):
        clip_grid(torch.randn(2), 2)


@pytest.mark.parametrize('layout', ['CTHW', 'NTHW', 'NCCT', 'NCX', ''])
def test_what_is_no_layout(layout):
    with pytest.raises(ValueError, match='begins with N'):
        check_layout(layout)
