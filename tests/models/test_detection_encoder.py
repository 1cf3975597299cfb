"""DetectionEncoder: boxes are a set, padding is nothing, time has a direction."""

import pytest
import torch

import mmdistill  # noqa: F401
from mmdistill.models.detection_encoder import DetectionEncoder

CATEGORIES = 5


def toy_detections(clips: int = 2, frames: int = 3, boxes: int = 4, features: int = 0):
    """Random detections; the last box of every frame is padding, frame 1 of clip 0 is empty."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(clips, frames, boxes, 6 + features, generator=generator)
    x[..., 5] = torch.randint(0, CATEGORIES, x.shape[:-1], generator=generator).float()
    x[:, :, -1] = x[0, 1] = 0
    x[:, :, -1, 5] = x[0, 1, :, 5] = -1
    return x


def toy_encoder(**kwargs) -> DetectionEncoder:
    torch.manual_seed(0)
    sizes = {'embed_dims': 16, 'num_layers': (2, 2), 'num_heads': 2, 'max_frames': 4}
    return DetectionEncoder(CATEGORIES, **{**sizes, **kwargs}).eval()


@pytest.mark.parametrize('features', [0, 3])
def test_one_vector_per_clip(features):
    x = toy_detections(features=features)
    assert toy_encoder(feature_dims=features)(x).shape == (2, 16)


@pytest.mark.parametrize('training', [False, True])
def test_order_of_boxes_means_nothing(training):
    """In training mode as well: PyTorch runs other kernels there."""
    x, encoder = toy_detections(), toy_encoder(dropout=0.0).train(training)
    torch.testing.assert_close(encoder(x[:, :, [2, 0, 3, 1]]), encoder(x))


@pytest.mark.parametrize('training', [False, True])
def test_more_padding_changes_nothing(training):
    x, encoder = toy_detections(), toy_encoder(dropout=0.0).train(training)
    padding = torch.zeros(2, 3, 5, 6)
    padding[..., 5] = -1
    torch.testing.assert_close(encoder(torch.cat([x, padding], dim=2)), encoder(x))


@pytest.mark.parametrize('score, label', [(0.0, 2.0), (0.7, -1.0)])
def test_what_padding_holds_changes_nothing(score, label):
    x, encoder = toy_detections(features=3), toy_encoder(feature_dims=3)
    expected = encoder(x)
    x[:, :, -1] = float('nan')
    x[:, :, -1, 4], x[:, :, -1, 5] = score, label
    torch.testing.assert_close(encoder(x), expected)


def test_a_real_box_counts_in_each_of_its_columns():
    encoder = toy_encoder(feature_dims=3)
    x = toy_detections(features=3)
    expected = encoder(x)
    for column in range(9):
        changed = x.clone()
        changed[0, 0, 0, column] += 1.0 if column == 5 else 0.3
        assert (encoder(changed)[0] - expected[0]).abs().max() > 1e-4, column
        torch.testing.assert_close(encoder(changed)[1], expected[1])


def test_frames_without_any_box():
    x = torch.zeros(1, 3, 4, 6)
    x[..., 5] = -1
    encoder = toy_encoder()
    assert encoder(x).isfinite().all()
    torch.testing.assert_close(encoder(x), encoder(x[:, :, :0]))


@pytest.mark.parametrize('causal', [False, True])
def test_order_of_frames_matters(causal):
    x, encoder = toy_detections(), toy_encoder(causal=causal)
    assert (encoder(x.flip(1)) - encoder(x)).abs().max() > 1e-2


def test_causal_frames_see_no_later_ones():
    """The frame tokens, not the clip token, show it: it attends to everything either way."""
    x = toy_detections()
    later = x.clone()
    later[1, 2, :3, :4] = 0.9
    for causal in (False, True):
        encoder, seen = toy_encoder(causal=causal), []
        encoder.temporal.register_forward_hook(
            lambda module, args, out, seen=seen: seen.append(out)
        )
        assert not torch.allclose(encoder(x)[1], encoder(later)[1], atol=1e-4)
        unchanged = torch.allclose(seen[0][1, :2], seen[1][1, :2], atol=1e-5)
        assert unchanged == causal


def test_gradients_are_finite_and_reach_every_parameter():
    encoder = toy_encoder(feature_dims=3, dropout=0.1).train()
    encoder(toy_detections(frames=4, features=3)).square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_layers_start_from_different_weights():
    first, second = toy_encoder().spatial.layers
    assert not torch.equal(first.linear1.weight, second.linear1.weight)


def test_default_size_of_the_docstring():
    count = sum(parameter.numel() for parameter in DetectionEncoder(9).parameters())
    assert count == pytest.approx(0.8e6, rel=0.01)


def test_too_many_frames():
    with pytest.raises(ValueError, match='5 frames, but the encoder only 4 positions'):
        toy_encoder()(toy_detections(frames=5))


def test_label_of_another_detector():
    x = toy_detections()
    x[0, 0, 0, 5] = CATEGORIES
    with pytest.raises(ValueError, match='Label 5 is beyond the 5 categories'):
        toy_encoder()(x)


def test_features_that_do_not_fit():
    with pytest.raises(ValueError, match=r'shape \(B, T, N, 6\).*got \(2, 3, 4, 9\)'):
        toy_encoder()(toy_detections(features=3))
