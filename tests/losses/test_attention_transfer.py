"""Attention maps against NumPy; a single position has no attention."""

import numpy as np
import pytest
import torch

from mmdistill.losses import attention_distance
from mmdistill.registry import MODELS


def test_matches_numpy(features):
    x, y = (f.double().numpy() for f in features)
    map_x = (x**2).sum(1).reshape(4, 2, 2, 2, 6).mean(3)  # (T H W) (2 4 6) -> (2 2 6)
    map_y = (y**2).sum(1).reshape(4, 2, 2, 2, 6).mean(2)  # (4 2 6) -> (2 2 6)
    total = 0
    for a, b in zip(map_x, map_y, strict=True):
        total += np.sum((a / np.linalg.norm(a) - b / np.linalg.norm(b)) ** 2)
    assert attention_distance(*features).item() == pytest.approx(total / 4, rel=1e-5)
    loss = MODELS.build(
        dict(
            type='mmdistill.AttentionTransferLoss',
            student_layer='a',
            expert='rgb',
            expert_layer='b',
            loss_weight=10,
        )
    )
    assert loss(*features, 4).item() == pytest.approx(10 * total / 4, rel=1e-5)


def test_a_worked_case_where_scale_and_channels_do_not_count():
    # Maps (1, 0) and (3, 4) / 5: (1 - 0.6)^2 + 0.8^2 = 0.8.
    student = torch.tensor([2.0, 0.0]).view(1, 1, 1, 1, 2)
    expert = torch.tensor([3.0, 4.0]).sqrt().view(1, 1, 1, 1, 2).expand(1, 6, 1, 1, 2)
    assert attention_distance(student, expert).item() == pytest.approx(0.8)
    assert attention_distance(7 * student, student).item() == pytest.approx(0)


def test_features_without_activity_have_finite_gradients():
    student = torch.zeros(1, 2, 1, 2, 2, requires_grad=True)
    attention_distance(student, torch.rand(1, 2, 1, 2, 2)).backward()
    assert torch.isfinite(student.grad).all()


def test_one_position_is_an_error():
    with pytest.raises(ValueError, match='several positions'):
        attention_distance(torch.rand(2, 3, 1, 1, 1), torch.rand(2, 3, 1, 4, 4))
