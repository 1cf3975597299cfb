"""Clips that no expert can answer: the loss of each clip by hand."""

import pytest
import torch
from mmaction.structures import ActionDataSample
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from mmdistill.labels import set_task_labels
from mmdistill.models.untaught import untaught_shares
from mmdistill.registry import MODELS

CLASSES = dict(verb=4, noun=5)


def build(recognizer_config, label_weight=0.1, loss_weight=0.9):
    return MODELS.build(
        dict(
            type='mmdistill.StudentRecognizer',
            recognizer=recognizer_config(dropout_ratio=0.0),
            losses=dict(kd=dict(type='mmdistill.SoftTargetLoss', loss_weight=loss_weight)),
            label_weight=label_weight,
        )
    )


def teach_some(batch, teach, taught):
    output = teach(batch, CLASSES)
    for sample, reached in zip(batch['data_samples'], taught, strict=True):
        sample.teacher.set_metainfo(dict(taught=reached))
    return output.logits


def total(losses):
    # `distillation` is a copy for the log, as are the sums per task.
    return sum(v for k, v in losses.items() if 'loss' in k)


@pytest.mark.parametrize('taught', [(True, False, True, False), (False,) * 4, (True,) * 4])
@pytest.mark.parametrize(('label_weight', 'loss_weight'), [(0.1, 0.9), (0.0, 1.0)])
def test_every_clip_has_its_own_loss(
    recognizer_config, make_batch, teach, taught, label_weight, loss_weight
):
    student = build(recognizer_config, label_weight, loss_weight)
    batch = make_batch(num_clips=4)
    targets = teach_some(batch, teach, taught)
    data = student.data_preprocessor(batch, True)
    losses = student(**data, mode='loss')
    logits = student.recognizer.cls_head(student.recognizer.backbone(data['inputs'].flatten(0, 1)))
    expected = 0.0
    for task, number in CLASSES.items():
        for i, reached in enumerate(taught):
            ce = cross_entropy(logits[task][i], torch.tensor(i % number))
            kl = kl_div(
                log_softmax(logits[task][i], 0),
                log_softmax(targets[task][i], 0),
                log_target=True,
                reduction='sum',
            )
            expected += (label_weight * ce + loss_weight * kl if reached else ce) / 4
    assert float(total(losses)) == pytest.approx(float(expected), rel=1e-4)


def test_a_clip_without_label_and_teacher_adds_nothing(recognizer_config, make_batch, teach):
    student = build(recognizer_config)
    batch = make_batch(num_clips=3)
    bare = ActionDataSample(metainfo=dict(sample_id='bare'))
    batch['data_samples'][2] = bare
    teach_some(batch, teach, (True, False, False))
    before = float(total(student(**student.data_preprocessor(batch, True), mode='loss')))
    assert untaught_shares(batch['data_samples'], (True, False, False)) == (1 / 3, 1 / 3)
    set_task_labels(bare, dict(verb=1, noun=1))
    after = float(total(student(**student.data_preprocessor(batch, True), mode='loss')))
    assert after > before + 0.1
    assert untaught_shares(batch['data_samples'], (True, False, False)) == (2 / 3, 0)


def test_gradients_are_there_without_any_taught_or_labelled_clip(
    recognizer_config, make_batch, teach
):
    student = build(recognizer_config)
    batch = make_batch(num_clips=2)
    batch['data_samples'] = [ActionDataSample(metainfo=dict(sample_id=str(i))) for i in range(2)]
    teach_some(batch, teach, (False, False))
    loss = total(student(**student.data_preprocessor(batch, True), mode='loss'))
    loss.backward()
    assert float(loss) == 0
    # Zeros, for which DDP does wait.
    assert all(p.grad is not None and not p.grad.any() for p in student.parameters())


def test_a_student_that_misses_its_own_modality_names_the_clip(recognizer_config, make_batch):
    student = build(recognizer_config)
    batch = make_batch()
    batch['data_samples'][1].set_metainfo(dict(available=dict(rgb=False, flow=True)))
    with pytest.raises(ValueError, match=r"The student reads rgb, but clip 'clip1' has none of"):
        student.data_preprocessor(batch, True)
