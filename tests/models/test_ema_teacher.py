"""A teacher that is the student's moving average: the average by hand, and what never changes."""

import copy

import pytest
import torch

from mmdistill.models.teacher_output import set_teacher_output
from mmdistill.registry import MODELS


@pytest.fixture
def student(recognizer_config):
    model = MODELS.build(
        dict(
            type='mmdistill.StudentRecognizer',
            recognizer=recognizer_config(dropout_ratio=0.0),
            losses=dict(kd=dict(type='mmdistill.SoftTargetLoss', loss_weight=0.5)),
            label_weight=0.5,
        )
    )
    model.init_weights()
    return model


def build(student, momentum=0.6):
    teacher = MODELS.build(dict(type='mmdistill.EMATeacher', momentum=momentum))
    teacher.prepare(student)
    return teacher


def moved(student):
    with torch.no_grad():
        for parameter in student.parameters():
            parameter += torch.randn_like(parameter)


def test_it_begins_as_the_student(student, make_batch):
    teacher, batch = build(student), make_batch()
    output = teacher.teach(batch)
    student.eval()
    with torch.no_grad():
        data = student.data_preprocessor(batch, False)
        own = student(**data, mode='predict')
    for task, logits in output.logits.items():
        expected = torch.stack([sample.pred_score[task] for sample in own])
        torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-4)


def test_the_average_by_hand(student):
    teacher = build(student)
    expected = [p.clone().double() for p in student.recognizer.parameters()]
    for step in range(12):
        moved(student)
        teacher.follow(student)
        keep = min(0.6, (1 + step) / (10 + step))
        theirs = student.recognizer.parameters()
        expected = [
            keep * e + (1 - keep) * p.double() for e, p in zip(expected, theirs, strict=True)
        ]
    average = teacher.experts['ema'].recognizer.parameters()
    for ours, theirs in zip(average, expected, strict=True):
        torch.testing.assert_close(ours.double(), theirs, atol=1e-5, rtol=1e-4)


def test_it_is_frozen_and_takes_the_students_statistics(student, make_batch):
    teacher, batch = build(student), make_batch()
    teacher.train()
    assert not any(m.training for m in teacher.modules())
    assert not any(p.requires_grad for p in teacher.parameters())
    set_teacher_output(batch['data_samples'], teacher.teach(batch))
    student.train()
    losses = student(**student.data_preprocessor(batch, True), mode='loss')
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert student.state_dict().keys() == student.recognizer.state_dict().keys()
    teacher.follow(student)
    average = dict(teacher.experts['ema'].recognizer.named_buffers())
    for name, buffer in student.recognizer.named_buffers():
        assert torch.equal(buffer, average[name]), name


def test_what_is_saved_restores_it(student, make_batch):
    teacher, batch = build(student), make_batch()
    for _ in range(3):
        moved(student)
        teacher.follow(student)
    state = copy.deepcopy(teacher.own_state())
    other = build(student)
    other.load_own_state(state)
    for model in (teacher, other):
        moved_student = copy.deepcopy(student)
        model.follow(moved_student)
    ours, theirs = (model.teach(batch).logits['verb'] for model in (teacher, other))
    assert torch.equal(ours, theirs)


def test_a_momentum_that_is_none():
    with pytest.raises(ValueError, match='momentum must be'):
        MODELS.build(dict(type='mmdistill.EMATeacher', momentum=1.5))
