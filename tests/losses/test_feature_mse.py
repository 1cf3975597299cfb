"""Projected squared errors against NumPy; what cannot be projected is said."""

import numpy as np
import pytest
import torch

from mmdistill.registry import MODELS

LAYERS = dict(student_layer='backbone.layer4', expert='flow', expert_layer='backbone.layer3')


def build(**kwargs):
    return MODELS.build(dict(type='mmdistill.FeatureMSELoss', **LAYERS, **kwargs))


def pooled(feature, grid):
    """Mean over blocks, by reshaping."""
    batch, channels, *sizes = feature.shape
    shape = [batch, channels]
    for size, cells in zip(sizes, grid, strict=True):
        shape += [cells, size // cells]
    return feature.reshape(shape).mean(axis=(3, 5, 7))


def test_matches_numpy(features):
    student, expert = features
    loss = build(student_channels=3, expert_channels=5, loss_weight=0.5)
    weight, bias = (p.detach().double().numpy() for p in loss.projection.parameters())
    x, y = (pooled(f.double().numpy(), (2, 2, 6)) for f in features)
    projected = np.einsum('oc,bcthw->bothw', weight, x) + bias[None, :, None, None, None]
    expected = 0.5 * np.mean((projected - y) ** 2)
    assert loss(student, expert, 4).item() == pytest.approx(expected, rel=1e-5)


def test_without_projection_equal_features_have_no_distance(features):
    student, _ = features
    assert build()(student, student, 4).item() == 0
    assert build()(student, student + 2, 4).item() == pytest.approx(4, rel=1e-5)
    assert not list(build().parameters())


def test_the_projection_and_the_student_get_gradients(features):
    student, expert = features[0].requires_grad_(True), features[1]
    loss = build(student_channels=3, expert_channels=5)
    loss(student, expert, 4).backward()
    assert student.grad.abs().sum() > 0
    assert all(p.grad.abs().sum() > 0 for p in loss.parameters())


def test_no_clips_are_a_zero_that_reaches_every_parameter(features):
    student, expert = features[0].requires_grad_(True), features[1]
    loss = build(student_channels=3, expert_channels=5)
    value = loss(student[:0], expert[:0], 0)
    value.backward()
    assert value == 0
    assert all(p.grad is not None and (p.grad == 0).all() for p in loss.parameters())


def test_autocast_changes_nothing(features):
    loss = build(student_channels=3, expert_channels=5)
    expected = loss(features[0].bfloat16().float(), features[1], 4)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = loss(features[0].bfloat16(), features[1], 4)
    assert found.dtype == torch.float32
    assert found == expected


@pytest.mark.parametrize(
    ('channels', 'message'),
    [
        (dict(), r'student has 3 channels, the expert 5.*must be equal; set student_channels=3'),
        (dict(student_channels=4, expert_channels=5), r'from 4 to 5; set student_channels=3'),
        (dict(student_channels=3, expert_channels=6), r'from 3 to 6; set .*expert_channels=5'),
    ],
)
def test_incompatible_channels_name_the_layers(features, channels, message):
    with pytest.raises(ValueError, match=message) as error:
        build(**channels)(*features, 4)
    assert "'backbone.layer4' of the student and 'backbone.layer3' of expert 'flow'" in str(error)


def test_half_a_projection_is_an_error():
    with pytest.raises(ValueError, match='give both'):
        build(student_channels=4)
    with pytest.raises(ValueError, match='begins with N'):
        build(expert_layout='CHW')
