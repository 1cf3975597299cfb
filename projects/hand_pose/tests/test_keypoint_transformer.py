"""The expert's backbone: shapes, what it must and must not see, and that it learns."""

import pytest
import torch
from torch import nn

from projects.hand_pose.keypoint_transformer import KeypointTransformer


def moving(batch=32, samples=12, keypoints=3):
    """Hands that go left or right by a few percent of the frame, from anywhere."""
    start = torch.rand(batch, 1, keypoints, 2)
    right = torch.arange(batch) % 2
    speed = (right * 2 - 1)[:, None, None] * torch.linspace(0, 0.05, samples)[None, :, None]
    points = start.repeat(1, samples, 1, 1)
    points[..., 0] += speed
    return points + 0.002 * torch.randn_like(points), right


def test_features_fit_the_heads_of_mmaction2():
    encoder = KeypointTransformer(num_keypoints=3, embed_dims=16, max_samples=12)
    assert encoder(torch.rand(4, 12, 3, 2)).shape == (4, 16, 1, 1, 1)
    assert encoder(torch.rand(4, 7, 3, 2)).shape == (4, 16, 1, 1, 1)


def test_it_learns_the_direction_of_a_small_motion():
    encoder = KeypointTransformer(num_keypoints=3, embed_dims=16, num_layers=1, dropout=0.0)
    model = nn.Sequential(encoder, nn.Flatten(), nn.Linear(16, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(120):
        points, right = moving()
        loss = nn.functional.cross_entropy(model(points), right)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    points, right = moving(batch=64)
    assert (model(points).argmax(1) == right).float().mean() > 0.95


def test_order_of_the_samples_counts():
    encoder = KeypointTransformer(num_keypoints=3).eval()
    points, _ = moving(batch=2)
    assert not torch.allclose(encoder(points), encoder(points.flip(1)), atol=1e-3)


def test_clips_do_not_see_each_other_when_the_expert_is_frozen():
    encoder = KeypointTransformer(num_keypoints=3).eval()
    points, _ = moving(batch=4)
    torch.testing.assert_close(encoder(points)[:1], encoder(points[:1]))


@pytest.mark.parametrize(
    ('shape', 'advice'),
    [
        ((2, 8, 5, 2), 'set num_keypoints'),
        ((2, 8, 3, 3), 'set num_keypoints'),
        ((8, 3, 2), 'set num_keypoints'),
        ((2, 80, 3, 2), 'raise max_samples'),
    ],
)
def test_wrong_shapes_are_errors(shape, advice):
    with pytest.raises(ValueError, match=advice):
        KeypointTransformer(num_keypoints=3)(torch.rand(shape))
