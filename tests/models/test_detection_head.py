"""DetectionFeatureHead inside a stock Recognizer3D: shapes, losses, predictions, and learning."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

import mmdistill.models.detection_head  # noqa: F401
import mmdistill.models.detector_backbone  # noqa: F401
from mmdistill.labels import set_task_labels


def toy_recognizer(num_classes: dict[str, int], **encoder):
    init_default_scope('mmaction')
    encoder = {'num_categories': 3, 'embed_dims': 32, 'num_layers': (1, 1), **encoder}
    head = {'type': 'I3DHead', 'in_channels': 32, 'dropout_ratio': 0.0}
    config = {
        'type': 'Recognizer3D',
        'backbone': {'type': 'mmdistill.DetectionInputs'},
        'cls_head': {
            'type': 'mmdistill.DetectionFeatureHead',
            'encoder': encoder,
            'heads': {task: {**head, 'num_classes': k} for task, k in num_classes.items()},
        },
        'data_preprocessor': {'type': 'ActionDataPreprocessor', 'format_shape': 'NCTHW'},
    }
    torch.manual_seed(0)
    return MODELS.build(config)


def drifting_boxes(count: int, seed: int):
    """A hand drifts right (1) or left (0) by 3 % of the frame per frame, beside a still object."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 2, (count,), generator=generator)
    x = torch.zeros(count, 1, 8, 3, 6)
    x[..., 5] = -1
    centre = 0.3 + 0.4 * torch.rand(count, 1, 2, generator=generator)
    drift = (2 * labels - 1)[:, None] * 0.03 * (torch.arange(8) - 3.5)
    hand = centre + torch.stack([drift, torch.zeros_like(drift)], dim=-1)
    still = torch.rand(count, 1, 2, generator=generator).expand(-1, 8, -1)
    for index, (place, score) in enumerate([(hand, 0.9), (still, 0.8)]):
        x[:, 0, :, index, :4] = torch.cat([place - 0.1, place + 0.1], dim=-1)
        x[:, 0, :, index, 4] = score
        x[:, 0, :, index, 5] = index
    x[..., :2, :4] += 0.005 * torch.randn(x[..., :2, :4].shape, generator=generator)
    return x, labels


def labelled(labels) -> list[ActionDataSample]:
    samples = []
    for label in labels:
        samples.append(ActionDataSample())
        set_task_labels(samples[-1], label if isinstance(label, dict) else int(label))
    return samples


def test_logits_of_every_task():
    model = toy_recognizer({'verb': 5, 'noun': 7}).eval()
    x, _ = drifting_boxes(2, seed=0)
    logits = model.cls_head(model.extract_feat(x)[0])
    assert {task: value.shape for task, value in logits.items()} == {'verb': (2, 5), 'noun': (2, 7)}


def test_loss_and_prediction_of_several_views():
    model = toy_recognizer({'verb': 5, 'noun': 7})
    x, _ = drifting_boxes(2, seed=0)
    samples = labelled([{'verb': 1, 'noun': 2}, {'verb': 0, 'noun': 6}])
    data = {'inputs': list(x), 'data_samples': samples}
    losses = model(**model.data_preprocessor(data, training=True), mode='loss')
    assert losses['verb/loss_cls'].isfinite() and losses['noun/loss_cls'].isfinite()

    views = torch.cat([x, x.flip(2)], dim=1)
    model.eval()
    predicted = model(views, labelled([{'verb': 1, 'noun': 2}] * 2), mode='predict')
    per_view = model.cls_head(views.flatten(0, 1))['verb'].unflatten(0, (2, 2))
    torch.testing.assert_close(predicted[1].pred_score['verb'], per_view[1].mean(dim=0))


def test_a_single_label_is_the_task_action():
    model = toy_recognizer({'action': 2})
    x, labels = drifting_boxes(2, seed=0)
    assert 'action/loss_cls' in model(x, labelled(labels), mode='loss')


def test_it_learns_the_direction_of_a_motion():
    model = toy_recognizer({'action': 2}, dropout=0.0).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for step in range(60):
        x, labels = drifting_boxes(32, seed=step)
        loss = model(x, labelled(labels), mode='loss')['action/loss_cls']
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
    x, labels = drifting_boxes(256, seed=12345)
    model.eval()
    with torch.no_grad():
        scores = model.cls_head(model.extract_feat(x, test_mode=True)[0])['action']
    assert (scores.argmax(dim=1) == labels).float().mean() > 0.9


def test_channels_must_fit_the_encoder():
    with pytest.raises(
        ValueError, match="task 'verb' expects 32 channels, but the encoder gives 16"
    ):
        toy_recognizer({'verb': 5}, embed_dims=16)
