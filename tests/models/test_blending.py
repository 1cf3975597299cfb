"""Mixup and CutMix: upstream's own draw, seen alike by student, labels and every expert."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.models import CutmixBlending, MixupBlending, RandomBatchAugment
from mmaction.models.utils.blending_utils import BaseMiniBatchBlending
from mmaction.structures import ActionDataSample
from mmengine.logging import MessageHub

from mmdistill.hooks import DistillationLossHook
from mmdistill.labels import task_labels
from mmdistill.models.blending import BlendDraw, blend_batch, draw_blend
from mmdistill.registry import MODELS

CLASSES = dict(verb=4, noun=5)
MIXUP = dict(type='MixupBlending', alpha=0.8, num_classes=4)
CUTMIX = dict(type='CutmixBlending', alpha=1.0, num_classes=4)
BLENDINGS = dict(
    mixup=lambda: MixupBlending(num_classes=4, alpha=0.8),
    cutmix=lambda: CutmixBlending(num_classes=4, alpha=1.0),
    either=lambda: RandomBatchAugment([CUTMIX, MIXUP], probs=[0.4, 0.4]),
)
LOSSES = dict(soft_target=dict(type='mmdistill.SoftTargetLoss'))


def clips(size=(8, 12), num_clips=4):
    return [torch.randint(0, 256, (1, 3, 2, *size)).byte() for _ in range(num_clips)]


def samples(labels=(0, 1, 2, 3)):
    return [ActionDataSample().set_gt_label(label) for label in labels]


def reseed(seed):
    torch.manual_seed(seed)
    np.random.seed(seed)


@pytest.mark.parametrize('kind', BLENDINGS)
@pytest.mark.parametrize('seed', range(4))
def test_one_stream_is_blended_as_upstream_does(kind, seed):
    batch = dict(inputs=clips(), data_samples=samples())
    frames = torch.stack(batch['inputs']).float()
    reseed(seed)
    expected, labelled = BLENDINGS[kind]()(frames, samples())
    reseed(seed)
    blend_batch(BLENDINGS[kind](), batch, 'rgb', dict(action=4))
    assert torch.allclose(torch.stack(batch['inputs']).float(), expected)
    ours = torch.stack([s.gt_label for s in batch['data_samples']]).float().squeeze(-1)
    theirs = torch.stack([s.gt_label for s in labelled]).float()
    if ours.ndim == 1:  # no blending was drawn: ours are the indices as they were
        ours = torch.nn.functional.one_hot(ours.long(), 4).float()
    assert torch.allclose(ours, theirs)


def test_a_box_is_the_same_part_of_the_frame_in_every_modality():
    draw = BlendDraw(torch.tensor([1, 0]), 0.75, box=(0.5, 0.0, 1.0, 0.5))
    for height, width in ((8, 8), (4, 16)):
        own, partner = torch.zeros(1, 2, height, width), torch.ones(1, 2, height, width)
        first, second = draw.frames([own, partner])
        assert first[..., : height // 2, width // 2 :].eq(1).all()
        assert first.mean() == 0.25 and second.mean() == 0.75


def test_modalities_share_the_draw_and_boxes_are_left(make_batch):
    boxes = [torch.rand(1, 2, 3, 6) for _ in range(4)]
    inputs = dict(rgb=clips((8, 12)), flow=clips((4, 6)), obj=list(boxes))
    batch = dict(inputs=inputs, data_samples=samples())
    before = {key: torch.stack(inputs[key]).float() for key in ('rgb', 'flow')}
    blend = blend_batch(MixupBlending(4, 0.8), batch, 'rgb', dict(action=4))
    assert blend.keys == {'rgb', 'flow'}
    partner_B, share = blend.draw.partner_B, blend.draw.share
    for key, frames in before.items():
        expected = share * frames + (1 - share) * frames[partner_B]
        assert torch.allclose(torch.stack(batch['inputs'][key]), expected)
    assert all(a is b for a, b in zip(batch['inputs']['obj'], boxes, strict=True))
    assert inputs['rgb'][0].dtype == torch.uint8  # the caller's dict is as it was


def test_labels_of_every_task_become_distributions(make_batch):
    batch = make_batch()
    before = task_labels(batch['data_samples'])
    blend = blend_batch(MixupBlending(4, 0.8), batch, 'rgb', CLASSES)
    after = task_labels(batch['data_samples'])
    for task, num_classes in CLASSES.items():
        one_hot = torch.nn.functional.one_hot(before[task], num_classes).float()
        expected = blend.draw.mix(one_hot, one_hot[blend.draw.partner_B])
        assert torch.allclose(after[task], expected)


def test_with_an_unlabelled_partner_there_is_no_label():
    unlabelled = samples()
    del unlabelled[2].gt_label
    batch = dict(inputs=clips(), data_samples=unlabelled)
    blend = blend_batch(MixupBlending(4, 0.8), batch, 'rgb', dict(action=4))
    for i, sample in enumerate(unlabelled):
        assert ('gt_label' in sample) == (2 not in (i, blend.draw.partner_B[i]))


def test_logits_of_what_cannot_be_blended_mix_as_probabilities():
    draw = BlendDraw(torch.tensor([1, 0]), 0.3)
    logits = torch.randn(2, 5)
    probs = logits.softmax(-1)
    expected = 0.3 * probs + 0.7 * probs[[1, 0]]
    assert torch.allclose(draw.logits(logits).softmax(-1), expected, atol=1e-6)
    alone = BlendDraw(torch.tensor([1, 0]), 1.0)
    assert torch.allclose(alone.logits(logits).softmax(-1), probs, atol=1e-6)


class TestInTraining:
    @pytest.fixture
    def parts(self, recognizer_config):
        recognizer = recognizer_config()
        recognizer['data_preprocessor']['blending'] = MIXUP
        student = MODELS.build(
            dict(type='mmdistill.StudentRecognizer', recognizer=recognizer, losses=LOSSES)
        )
        experts = {
            name: dict(model=recognizer_config(), checkpoint=None, modality=key)
            for name, key in (('rgb', 'rgb'), ('flow', 'flow'), ('deep', 'deep'))
        }
        weighting = dict(type='mmdistill.SampleSoftminWeighting', temperature=1.0)
        teacher = MODELS.build(
            dict(type='mmdistill.MultimodalTeacher', experts=experts, weighting=weighting)
        )
        return student, teacher

    def taught(self, parts, batch):
        student, teacher = parts
        hook = DistillationLossHook()
        hook.teacher = teacher
        torch.manual_seed(3)
        hub = MessageHub.get_instance('blending')
        runner = SimpleNamespace(model=student, iter=0, max_iters=1, message_hub=hub)
        hook.before_train_iter(runner, 0, batch)
        return batch

    def test_teacher_and_student_see_the_same_blended_clips(self, parts, make_batch):
        student, teacher = parts
        batch = make_batch(modalities=('rgb', 'flow', 'deep'))
        batch['inputs']['deep'] = [x.float() for x in batch['inputs']['deep']]  # no frames
        stock = copy.deepcopy(batch)
        self.taught(parts, batch)
        torch.manual_seed(3)
        draw = draw_blend(student.blending, 3, (32, 32))
        assert 0 < draw.share < 1 and draw.partner_B.tolist() != [0, 1, 2]

        def blended(key):
            frames = torch.stack(stock['inputs'][key]).float()
            return draw.mix(frames, frames[draw.partner_B])

        normal = (blended('rgb') - 128) / 64
        seen = student.data_preprocessor(batch, True)['inputs']
        assert torch.allclose(seen, normal, atol=1e-5)
        for m, key in enumerate(('rgb', 'flow')):
            logits = teacher.experts[key]((blended(key) - 128) / 64)
            for i, sample in enumerate(batch['data_samples']):
                found = sample.teacher.expert_logits.verb[m]
                assert torch.allclose(found, logits['verb'][i], atol=1e-5)
        deep = (torch.stack(stock['inputs']['deep']) - 128) / 64
        logits = draw.logits(teacher.experts['deep'](deep)['verb'])
        for i, sample in enumerate(batch['data_samples']):
            assert torch.allclose(sample.teacher.expert_logits.verb[2], logits[i], atol=1e-5)

    def test_a_step_has_finite_losses_on_labels_and_targets(self, parts, make_batch):
        student, _ = parts
        batch = self.taught(parts, make_batch(modalities=('rgb', 'flow', 'deep')))
        losses = student(**student.data_preprocessor(batch, True), mode='loss')
        total, _ = student.parse_losses(losses)
        total.backward()
        assert total.isfinite()
        assert {'verb/loss_cls', 'noun/loss_soft_target'} <= losses.keys()

    def test_without_blending_the_batch_is_left_alone(self, recognizer_config, make_batch):
        config = dict(
            type='mmdistill.StudentRecognizer', recognizer=recognizer_config(), losses=LOSSES
        )
        batch = make_batch()
        inputs = batch['inputs']
        assert MODELS.build(config).blend(batch) is None
        assert batch['inputs'] is inputs


class TestBadInput:
    def test_a_blending_of_ones_own(self):
        class Swap(BaseMiniBatchBlending):
            def do_blending(self, imgs, label, **kwargs):
                return imgs, label

        with pytest.raises(TypeError, match='Swap cannot be drawn once.*RandomBatchAugment'):
            draw_blend(Swap(4), 2, (8, 8))

    def test_two_blendings_in_one_preprocessor(self, recognizer_config):
        recognizer = recognizer_config()
        part = dict(type='ActionDataPreprocessor', blending=MIXUP)
        recognizer['data_preprocessor'] = dict(
            type='MultiModalDataPreprocessor', preprocessors=dict(rgb=part, flow=part)
        )
        with pytest.raises(ValueError, match='keep one'):
            MODELS.build(
                dict(type='mmdistill.StudentRecognizer', recognizer=recognizer, losses=LOSSES)
            )

    def test_a_batch_without_the_students_modality(self):
        batch = dict(inputs=dict(flow=clips()), data_samples=samples())
        with pytest.raises(KeyError, match="The student reads 'rgb', but the batch has only"):
            blend_batch(MixupBlending(4), batch, 'rgb', dict(action=4))
