"""Clips without a label: not in the recognizer's losses, all in the teacher's."""

import copy

import pytest
import torch

from mmdistill.labels import set_task_labels
from mmdistill.models.label_losses import label_losses
from mmdistill.models.logits import no_loss
from mmdistill.registry import MODELS

TSN = dict(
    type='Recognizer2D',
    backbone=dict(type='ResNet', depth=18, pretrained=None, norm_eval=False),
    cls_head=dict(type='TSNHead', num_classes=6, in_channels=512, dropout_ratio=0.0),
    data_preprocessor=dict(type='ActionDataPreprocessor', format_shape='NCHW'),
)


@pytest.fixture
def recognizer(recognizer_config):
    model = MODELS.build(recognizer_config(classes=6, dropout_ratio=0.0))
    model.init_weights()
    # Batch statistics would depend on who else is in the batch.
    return model.eval()


def unlabel(samples, clips):
    for i in clips:
        for field in ('gt_label', 'gt_labels'):
            if field in samples[i]:
                samples[i].pop(field)


def run(model, batch):
    data = model.data_preprocessor(
        dict(inputs=batch['inputs']['rgb'], data_samples=batch['data_samples']), False
    )
    return label_losses(model, data['inputs'], data['data_samples'])


def part_of(batch, clips):
    inputs = {key: [values[i] for i in clips] for key, values in batch['inputs'].items()}
    return dict(inputs=inputs, data_samples=[batch['data_samples'][i] for i in clips])


@pytest.mark.parametrize('labelled', [[0, 1, 2, 3], [0, 2, 3], [2]])
def test_losses_are_those_of_the_labelled_clips_alone(recognizer, make_batch, labelled):
    batch = make_batch(4, classes=6)
    expected = run(recognizer, part_of(batch, labelled))
    unlabel(batch['data_samples'], set(range(4)) - set(labelled))
    losses = run(recognizer, batch)
    assert set(losses) == {'loss_cls', 'top1_acc', 'top5_acc'}
    for name, value in losses.items():
        assert value.item() == pytest.approx(expected[name].item(), rel=1e-4)
    assert not recognizer.cls_head._forward_hooks


def test_segments_of_a_2d_network_are_one_row_per_clip(make_batch):
    model = MODELS.build(copy.deepcopy(TSN)).eval()
    batch = make_batch(3, classes=6)
    # (3, 2, H, W) clips become (segments, 3, H, W) frames.
    batch['inputs']['rgb'] = [clip[0].transpose(0, 1) for clip in batch['inputs']['rgb']]
    expected = run(model, part_of(batch, [0, 2]))['loss_cls']
    unlabel(batch['data_samples'], [1])
    assert run(model, batch)['loss_cls'].item() == pytest.approx(expected.item(), rel=1e-4)


def test_no_label_at_all_is_no_loss_but_a_gradient_for_all(recognizer, make_batch):
    batch = make_batch(2, classes=6)
    unlabel(batch['data_samples'], [0, 1])
    losses = run(recognizer, batch)
    assert {name: value.item() for name, value in losses.items()} == {'loss_cls': 0}
    losses['loss_cls'].backward()
    for parameter in recognizer.parameters():
        assert (parameter.grad == 0).all()


@pytest.mark.parametrize('classes', [6, dict(verb=4, noun=5)])
def test_unlabelled_clips_teach_the_student_through_the_teacher(
    recognizer_config, make_batch, teach, classes
):
    student = MODELS.build(
        dict(
            type='mmdistill.StudentRecognizer',
            recognizer=recognizer_config(classes=classes, dropout_ratio=0.0),
            losses=dict(mse=dict(type='mmdistill.LogitMSELoss')),
        )
    ).eval()
    batch = make_batch(3, classes=classes)
    teach(batch, classes if isinstance(classes, dict) else dict(action=classes))

    def losses():
        return student(**student.data_preprocessor(batch, False), mode='loss')

    before = losses()
    unlabel(batch['data_samples'], [0, 1, 2])
    after = losses()
    for name, value in after.items():
        if 'loss_cls' in name:
            assert value == 0 < before[name]
        else:
            assert value == before[name]
    assert not [name for name in after if 'acc' in name]


def test_a_neck_with_its_own_loss_is_an_error(recognizer, make_batch):
    batch = make_batch(2, classes=6)
    recognizer.neck = torch.nn.Identity()
    recognizer.neck.aux_head = torch.nn.Identity()
    unlabel(batch['data_samples'], [1])
    with pytest.raises(ValueError, match="auxiliary loss .* 'clip1' has none"):
        run(recognizer, batch)
    task = make_batch(2)
    set_task_labels(task['data_samples'][0], dict(verb=1, noun=None))
    multitask = MODELS.build(
        dict(type='mmdistill.MultitaskHead', heads=dict(verb=dict(TSN['cls_head'])))
    )
    recognizer.cls_head = multitask
    with pytest.raises(ValueError, match="auxiliary loss .* 'clip0' has none"):
        run(recognizer, task)


def test_no_loss_is_zero_and_gives_every_logit_the_gradient_zero():
    logits = torch.ones(3, 4, requires_grad=True)
    loss = no_loss(logits)
    loss.backward()
    assert loss.item() == 0 and (logits.grad == 0).all()
