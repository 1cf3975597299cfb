"""The student's losses: which are called with what, how they are weighed, logged and refused."""

import pytest
import torch
from mmengine.structures import BaseDataElement
from torch import nn

from mmdistill.labels import set_task_labels
from mmdistill.losses import (
    balanced_target_kl,
    decoupled_kl,
    effective_weights,
    logit_mse,
    soft_target_kl,
)
from mmdistill.registry import MODELS

CLASSES = dict(verb=4, noun=5)
MSE = dict(type='mmdistill.LogitMSELoss')
FEATURE = dict(
    type='mmdistill.FeatureMSELoss',
    student_layer='backbone.layer4',
    expert='flow',
    expert_layer='backbone.layer3',
    student_channels=32,
    expert_channels=16,
)


class OwnLoss(nn.Module):
    """A user's loss: two arguments, a number as weight."""

    def __init__(self, loss_weight=1.0):
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_logits, teacher_logits):
        return self.loss_weight * (student_logits - teacher_logits).abs().mean()


@pytest.fixture
def build(recognizer_config):
    def build_student(losses, classes=CLASSES, label_weight=1.0, **recognizer):
        cfg = recognizer_config(classes=classes, dropout_ratio=0.0)
        cfg.update(recognizer)
        student = MODELS.build(
            dict(
                type='mmdistill.StudentRecognizer',
                recognizer=cfg,
                losses=losses,
                label_weight=label_weight,
            )
        )
        student.init_weights()
        return student

    return build_student


def loss_of(student, batch):
    return student(**student.data_preprocessor(batch, True), mode='loss')


def logits_of(student, batch):
    inputs = student.data_preprocessor(batch, True)['inputs']
    return student.recognizer.cls_head(student.recognizer.backbone(inputs.flatten(0, 1)))


def flow_features(num_clips=3, rows=1):
    clips = [torch.randn(rows, 16, 2, 4, 4) for _ in range(num_clips)]
    return {('flow', 'backbone.layer3'): clips}


def test_parts_and_their_sums_are_logged_per_task_and_counted_once(build, make_batch, teach):
    student, batch = build(dict(mse=MSE, soft=dict(type='mmdistill.SoftTargetLoss'))), make_batch()
    teacher = teach(batch, CLASSES)
    losses = loss_of(student, batch)
    logits = logits_of(student, batch)
    for task in CLASSES:
        mse = logit_mse(logits[task], teacher.logits[task])
        soft = soft_target_kl(logits[task], teacher.logits[task], 1.0)
        assert losses[f'{task}/loss_mse'].item() == pytest.approx(mse.item(), rel=1e-4)
        assert losses[f'{task}/loss_soft'].item() == pytest.approx(soft.item(), rel=1e-3)
        assert losses[f'{task}/distillation'].item() == pytest.approx((mse + soft).item(), rel=1e-4)
    both = losses['verb/distillation'] + losses['noun/distillation']
    assert losses['distillation'] == both
    total, _ = student.parse_losses(losses)
    labels = losses['verb/loss_cls'] + losses['noun/loss_cls']
    assert total.item() == pytest.approx((labels + both).item(), rel=1e-5)


def test_a_loss_of_ones_own_needs_two_arguments_only(build, make_batch, teach):
    student, batch = build({}), make_batch()
    student.losses['own'] = OwnLoss()
    teacher = teach(batch, CLASSES)
    expected = (logits_of(student, batch)['verb'] - teacher.logits['verb']).abs().mean()
    assert loss_of(student, batch)['verb/loss_own'].item() == pytest.approx(expected.item())


def test_a_loss_that_asks_for_labels_gets_those_of_its_task(build, make_batch, teach):
    student = build(dict(dkd=dict(type='mmdistill.DKDLoss', temperature=2.0, beta=3.0)))
    batch = make_batch()
    teacher = teach(batch, CLASSES)
    logits = logits_of(student, batch)
    for task, k in CLASSES.items():
        labels = torch.tensor([i % k for i in range(3)])
        tckd, nckd = decoupled_kl(logits[task], teacher.logits[task], labels, 2.0)
        expected = (tckd + 3 * nckd).item()
        found = loss_of(student, batch)[f'{task}/loss_dkd'].item()
        assert found == pytest.approx(expected, rel=1e-4)


def test_weights_follow_their_schedules(build, make_batch, teach):
    ramp = dict(type='mmdistill.LinearWeight', start=0.0, end=2.0, until=0.5)
    steps = dict(type='mmdistill.StepWeight', weights=[1.0, 0.25], milestones=[0.2])
    student = build(dict(mse=dict(MSE, loss_weight=ramp), fixed=MSE), label_weight=steps)
    batch = make_batch()
    teach(batch, CLASSES)
    assert student.scheduled_weights == {'loss_weight/mse': 0.0, 'label_weight': 1.0}
    before = loss_of(student, batch)
    student.progress = 0.25
    after = loss_of(student, batch)
    assert student.scheduled_weights == {'loss_weight/mse': 1.0, 'label_weight': 0.25}
    assert before['verb/loss_mse'] == 0
    assert after['verb/loss_mse'].item() == pytest.approx(after['verb/loss_fixed'].item())
    quarter = 0.25 * before['verb/loss_cls'].item()
    assert after['verb/loss_cls'].item() == pytest.approx(quarter, rel=1e-4)
    assert after['verb/top1_acc'] == before['verb/top1_acc']


class TestFeatures:
    def test_the_loss_is_that_of_the_two_layers(self, build, make_batch, teach):
        student, batch = build(dict(mars=dict(FEATURE, loss_weight=0.5))), make_batch()
        assert student.wanted_features == [('flow', 'backbone.layer3')]
        features = flow_features()
        teach(batch, CLASSES, features)
        losses = loss_of(student, batch)
        inputs = student.data_preprocessor(batch, True)['inputs'].flatten(0, 1)
        found = student.recognizer.backbone(inputs)
        expert = torch.cat(features['flow', 'backbone.layer3'])
        expected = student.losses['mars'](found, expert, 3).item()
        assert losses['features/loss_mars'].item() == pytest.approx(expected, rel=1e-4)
        assert losses['features/distillation'] == losses['distillation']
        losses['features/loss_mars'].backward()
        assert student.recognizer.backbone.conv1.conv.weight.grad.abs().sum() > 0
        assert student.losses['mars'].projection.weight.grad.abs().sum() > 0

    def test_losses_of_logits_may_be_listed_before_it_and_after_it(self, build, make_batch, teach):
        student, batch = build(dict(first=MSE, mars=FEATURE, last=MSE)), make_batch()
        teach(batch, CLASSES, flow_features())
        losses = loss_of(student, batch)
        names = ('features/loss_mars', 'verb/loss_first', 'noun/loss_last')
        assert set(names) <= losses.keys()

    def test_clips_without_the_modality_are_left_out(self, build, make_batch, teach):
        student, batch = build(dict(mars=FEATURE)).eval(), make_batch()
        features = flow_features()
        features['flow', 'backbone.layer3'][1] = torch.empty(0, 16, 2, 4, 4)
        teach(batch, CLASSES, features)
        found = loss_of(student, batch)['features/loss_mars']
        part = {key: [clips[i] for i in (0, 2)] for key, clips in batch['inputs'].items()}
        rest = dict(inputs=part, data_samples=[batch['data_samples'][i] for i in (0, 2)])
        assert found.item() == pytest.approx(
            loss_of(student, rest)['features/loss_mars'].item(), rel=1e-4
        )

    def test_a_batch_without_any_gives_every_parameter_a_gradient(self, build, make_batch, teach):
        student, batch = build(dict(mars=FEATURE)), make_batch()
        teach(batch, CLASSES, flow_features(rows=0))
        losses = loss_of(student, batch)
        assert losses['features/loss_mars'] == 0
        student.parse_losses(losses)[0].backward()
        assert all(p.grad is not None for p in student.parameters())

    def test_projections_never_enter_the_state_dict(self, build, recognizer_config):
        student = build(dict(mars=FEATURE))
        stock = MODELS.build(recognizer_config())
        assert list(student.state_dict()) == list(stock.state_dict())
        assert 'losses.mars.projection.weight' in dict(student.named_parameters())

    def test_a_frozen_or_checkpointed_layer_is_an_error(self, build, make_batch, teach):
        student, batch = build(dict(mars=FEATURE)), make_batch()
        student.recognizer.backbone.requires_grad_(False)
        teach(batch, CLASSES, flow_features())
        with pytest.raises(RuntimeError, match=r"'mars': the output of 'backbone.layer4' has no"):
            loss_of(student, batch)

    def test_samples_without_the_feature_are_an_error(self, build, make_batch, teach):
        student, batch = build(dict(mars=FEATURE)), make_batch()
        teach(batch, CLASSES)
        with pytest.raises(KeyError, match="'clip0' carries no feature of layer 'backbone.layer3'"):
            loss_of(student, batch)


class TestBadInput:
    def test_a_layer_that_the_student_does_not_have(self, build):
        with pytest.raises(KeyError, match=r"'backbone.layer5' in the student .*backbone.layer4"):
            build(dict(mars=dict(FEATURE, student_layer='backbone.layer5')))

    def test_names_of_the_recognizers_own_losses(self, build):
        with pytest.raises(ValueError, match="cannot be called 'cls'"):
            build(dict(cls=MSE))

    def test_a_weight_that_is_none(self, build):
        with pytest.raises(ValueError, match='label_weight must be a finite number >= 0'):
            build({}, label_weight=-0.1)
        with pytest.raises(TypeError, match='loss_weight of mse must be a number or a schedule'):
            build(dict(mse=dict(MSE, loss_weight=MSE)))

    def test_labels_for_a_loss_while_clips_are_blended(self, build, recognizer_config):
        preprocessor = dict(
            recognizer_config()['data_preprocessor'],
            blending=dict(type='MixupBlending', num_classes=6),
        )
        with pytest.raises(ValueError, match=r"'dkd' \(DKDLoss\).*MixupBlending"):
            build(
                dict(dkd=dict(type='mmdistill.DKDLoss')),
                classes=6,
                data_preprocessor=preprocessor,
            )

    def test_a_loss_of_ones_own_may_meet_blended_clips(self, build, recognizer_config):
        preprocessor = dict(
            recognizer_config()['data_preprocessor'],
            blending=dict(type='MixupBlending', num_classes=6),
        )
        own = dict(own=dict(type=OwnLoss))
        assert build(own, classes=6, data_preprocessor=preprocessor).blending is not None

    def test_a_loss_that_needs_labels_on_an_unlabelled_clip(self, build, make_batch, teach):
        student, batch = build(dict(dkd=dict(type='mmdistill.DKDLoss'))), make_batch()
        teach(batch, CLASSES)
        sample = batch['data_samples'][1]
        sample.set_field(BaseDataElement(), 'gt_labels', dtype=BaseDataElement)
        set_task_labels(sample, dict(verb=1, noun=None))
        with pytest.raises(ValueError, match="'dkd' needs the noun label .* 'clip1' has none"):
            loss_of(student, batch)


BALANCED = dict(balanced=dict(type='mmdistill.BalancedTargetLoss', beta=0.9))


def test_a_loss_that_asks_for_counts_gets_those_of_its_task(build, make_batch, teach):
    student = build(BALANCED)
    batch = make_batch()
    teacher = teach(batch, CLASSES)
    with pytest.raises(KeyError, match=r"'balanced' needs the training clips.*LossHook"):
        loss_of(student, batch)
    student.class_counts = {task: torch.arange(1, k + 1) for task, k in CLASSES.items()}
    logits = logits_of(student, batch)
    for task, k in CLASSES.items():
        weights = effective_weights(torch.arange(1, k + 1), 0.9)
        expected = balanced_target_kl(logits[task], teacher.logits[task], weights, 1.0).item()
        found = loss_of(student, batch)[f'{task}/loss_balanced'].item()
        assert found == pytest.approx(expected, rel=1e-4)
