"""The student is the stock recognizer plus a loss: same keys, same predictions, right gradient."""

import copy

import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from mmengine.runner.checkpoint import _load_checkpoint_to_model

from mmdistill.losses import soft_target_kl
from mmdistill.models.teacher_output import TeacherOutput, set_teacher_output
from mmdistill.registry import MODELS

CLASSES = dict(verb=4, noun=5)


@pytest.fixture
def student(recognizer_config):
    model = MODELS.build(student_config(recognizer_config(dropout_ratio=0.0)))
    model.init_weights()
    return model


def student_config(recognizer, **changes):
    losses = dict(
        soft_target=dict(type='mmdistill.SoftTargetLoss', temperature=2.0, loss_weight=0.9)
    )
    return dict(
        type='mmdistill.StudentRecognizer',
        recognizer=recognizer,
        losses=losses,
        label_weight=0.1,
        **changes,
    )


def teach(batch, classes=CLASSES):
    """Put random teacher logits on the samples; returns them."""
    logits = {task: torch.randn(len(batch['data_samples']), k) for task, k in classes.items()}
    experts = {task: x[:, None] for task, x in logits.items()}
    weights = {task: torch.ones(len(x), 1) for task, x in logits.items()}
    set_teacher_output(batch['data_samples'], TeacherOutput(logits, experts, weights))
    return logits


def loss_of(model, batch):
    data = model.data_preprocessor(batch, True)
    return model(**data, mode='loss'), data


def test_loss_is_the_weighted_sum_of_labels_and_soft_targets(student, make_batch):
    batch = make_batch()
    targets = teach(batch)
    stock = copy.deepcopy(student.recognizer)
    losses, data = loss_of(student, batch)
    expected = stock(**data, mode='loss')
    logits = stock.cls_head(stock.backbone(data['inputs'].flatten(0, 1)))
    for task in CLASSES:
        labels = expected[f'{task}/loss_cls']
        kl = soft_target_kl(logits[task], targets[task], 2.0)
        assert losses[f'{task}/loss_cls'].item() == pytest.approx(0.1 * labels.item(), rel=1e-4)
        assert losses[f'{task}/loss_soft_target'].item() == pytest.approx(0.9 * kl.item(), rel=1e-3)
    assert losses['verb/top1_acc'] == expected['verb/top1_acc']


def test_agreement_is_with_the_teacher_of_the_same_task(student, make_batch):
    batch = make_batch()
    teach(batch)
    stock = copy.deepcopy(student.recognizer)
    data = student.data_preprocessor(batch, True)
    answers = stock.cls_head(stock.backbone(data['inputs'].flatten(0, 1)))
    logits = {task: x.detach() for task, x in answers.items()}
    logits['noun'][0] *= -1  # the teacher prefers what this clip is least
    experts = {task: x[:, None] for task, x in logits.items()}
    weights = {task: torch.ones(3, 1) for task in logits}
    set_teacher_output(batch['data_samples'], TeacherOutput(logits, experts, weights))
    losses, _ = loss_of(student, batch)
    assert losses['verb/agreement'].item() == 1.0
    assert losses['noun/agreement'].item() == pytest.approx(2 / 3)


def test_gradients_reach_every_parameter(student, make_batch):
    batch = make_batch()
    teach(batch)
    losses, _ = loss_of(student, batch)
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    for name, parameter in student.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_a_single_label_is_the_task_action(recognizer_config, make_batch):
    model = MODELS.build(student_config(recognizer_config(classes=6)))
    batch = make_batch(classes=6)
    teach(batch, dict(action=6))
    losses, _ = loss_of(model, batch)
    assert {'loss_cls', 'action/loss_soft_target'} <= set(losses)


def test_its_checkpoint_is_the_stock_recognizer(student, recognizer_config, make_batch, tmp_path):
    stock = MODELS.build(recognizer_config())
    assert list(student.state_dict()) == list(stock.state_dict())
    torch.save(student.state_dict(), tmp_path / 'student.pth')
    stock.load_state_dict(torch.load(tmp_path / 'student.pth'), strict=True)

    batch = make_batch(num_views=2)
    inputs = dict(inputs=batch['inputs']['rgb'], data_samples=batch['data_samples'])
    ours = student.eval().test_step(batch)
    theirs = stock.eval().test_step(inputs)
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a.pred_score['verb'], b.pred_score['verb'])


@pytest.mark.parametrize('load', ['torch', 'mmengine'])
def test_it_loads_what_it_and_the_stock_recognizer_save(student, recognizer_config, load):
    stock = MODELS.build(recognizer_config())
    stock.init_weights()
    for state in (stock.state_dict(), student.state_dict()):
        other = MODELS.build(student_config(recognizer_config()))
        if load == 'torch':
            other.load_state_dict(state, strict=True)
        else:
            _load_checkpoint_to_model(other, dict(state_dict=state), strict=True)
        loaded = other.state_dict()
        assert all(torch.equal(value, loaded[key]) for key, value in state.items())


def test_a_missing_key_is_still_an_error(student):
    state = student.state_dict()
    state.pop('backbone.conv1.conv.weight')
    with pytest.raises(RuntimeError, match='backbone.conv1.conv.weight'):
        student.load_state_dict(state, strict=True)


def test_an_average_of_students_is_the_stock_recognizer_too(student, recognizer_config):
    averaged = ExponentialMovingAverage(student)
    averaged.update_parameters(student)
    keys = {key.removeprefix('module.') for key in averaged.state_dict()} - {'steps'}
    assert keys == set(MODELS.build(recognizer_config()).state_dict())


class TestBadInput:
    def test_batch_without_the_modality(self, student, make_batch):
        with pytest.raises(KeyError, match="'rgb'"):
            student.data_preprocessor(make_batch(modalities=('flow',)), True)

    def test_batch_without_a_teacher(self, student, make_batch):
        with pytest.raises(KeyError, match='DistillationLossHook'):
            loss_of(student, make_batch())

    def test_teacher_without_the_task(self, student, make_batch):
        batch = make_batch()
        teach(batch, dict(verb=4))
        with pytest.raises(KeyError, match="'noun'"):
            loss_of(student, batch)

    def test_teacher_with_other_classes(self, student, make_batch):
        batch = make_batch()
        teach(batch, dict(verb=7, noun=5))
        with pytest.raises(ValueError, match='same classes'):
            loss_of(student, batch)
