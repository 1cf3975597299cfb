"""Distances and angles against loops in NumPy, and batches too small for either."""

import itertools

import numpy as np
import pytest
import torch

from mmdistill.losses import relational_distance
from mmdistill.registry import MODELS


def huber(x):
    return np.where(np.abs(x) < 1, 0.5 * np.square(x), np.abs(x) - 0.5)


def distances(points):
    found = [np.linalg.norm(a - b) for a, b in itertools.combinations(points, 2)]
    return np.array(found) / np.mean(found)


def angles(points):
    found = []
    for i, j, k in itertools.permutations(range(len(points)), 3):
        a, b = points[i] - points[j], points[k] - points[j]
        found.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    return np.array(found)


def reference(student, expert, distance_weight, angle_weight):
    return distance_weight * huber(distances(student) - distances(expert)).mean() + (
        angle_weight * huber(angles(student) - angles(expert)).mean()
    )


@pytest.mark.parametrize('weights', [(1.0, 0.0), (0.0, 1.0), (25.0, 50.0)])
def test_matches_numpy(features, weights):
    points = [f.double().mean((2, 3, 4)) for f in features]
    expected = reference(*(p.numpy() for p in points), *weights)
    assert relational_distance(*points, *weights).item() == pytest.approx(expected, rel=1e-9)
    loss = MODELS.build(
        dict(
            type='mmdistill.RelationalLoss',
            student_layer='a',
            expert='rgb',
            expert_layer='b',
            loss_weight=0.5,
            distance_weight=weights[0],
            angle_weight=weights[1],
        )
    )
    assert loss(*features, 4).item() == pytest.approx(expected / 2, rel=1e-4)


def test_a_worked_triangle():
    # Right angle at the origin, sides 3, 4, 5 (over their mean 4) against all sides equal.
    right = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    even = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, 3**0.5 / 2]])
    sides = (0.25**2 + 0**2 + 0.25**2) / 2 / 3
    assert relational_distance(right, even, 1, 0).item() == pytest.approx(sides, rel=1e-5)
    cosines = ((0 - 0.5) ** 2 + (0.6 - 0.5) ** 2 + (0.8 - 0.5) ** 2) / 2 / 3
    assert relational_distance(right, even, 0, 1).item() == pytest.approx(cosines, rel=1e-5)


def test_place_scale_and_rotation_do_not_count(features):
    points = features[0].mean((2, 3, 4))
    rotation = torch.linalg.qr(torch.randn(3, 3))[0]
    moved = 5 * points @ rotation + 2
    assert relational_distance(points, moved, 1, 2).item() == pytest.approx(0, abs=1e-6)


def test_too_few_clips_are_zero():
    points = torch.randn(3, 4, requires_grad=True)
    one = relational_distance(points[:1], torch.randn(1, 4), 1, 2)
    two = relational_distance(points[:2], torch.randn(2, 4), 1, 2)
    # The only distance is its own mean.
    assert (one.item(), two.item()) == (0, 0)
    (one + two).backward()
    assert points.grad is not None


def test_the_same_clip_twice_gives_small_gradients():
    points = torch.randn(4, 3)
    points[1] = points[0]
    points.requires_grad_(True)
    relational_distance(points, torch.randn(4, 3), 1, 2).backward()
    assert torch.isfinite(points.grad).all()
    assert points.grad.abs().max() < 10


def test_a_negative_factor_is_an_error():
    with pytest.raises(ValueError, match='angle_weight must be'):
        MODELS.build(
            dict(
                type='mmdistill.RelationalLoss',
                student_layer='a',
                expert='rgb',
                expert_layer='b',
                angle_weight=-2,
            )
        )
