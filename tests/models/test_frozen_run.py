"""Experts under inference mode, in a precision of their own, compiled: the same teaching."""

import copy

import pytest
import torch
from mmaction.models.backbones import swin

from mmdistill.models.frozen_run import without_gradients
from mmdistill.models.teacher_output import set_teacher_output
from mmdistill.registry import MODELS

TASKS = ('verb', 'noun')
UNIFORM = dict(type='mmdistill.UniformWeighting')


@pytest.fixture
def build_teacher(recognizer_config):
    """Two untrained experts, always the same; `rgb` and `flow` change their entries."""

    def build(rgb=None, flow=None, **switches):
        experts = {
            name: dict(model=recognizer_config(), checkpoint=None) | (changes or {})
            for name, changes in (('rgb', rgb), ('flow', flow))
        }
        cfg = dict(experts=experts, weighting=UNIFORM, **switches)
        torch.manual_seed(0)
        return MODELS.build(dict(type='mmdistill.MultimodalTeacher', **cfg))

    return build


@pytest.mark.parametrize('inference_mode', [True, False])
def test_nothing_is_recorded_and_inference_mode_is_as_asked(inference_mode):
    with without_gradients(inference_mode):
        assert torch.is_inference_mode_enabled() is inference_mode
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def shifted_windows(recognizer_config):
    """The smallest Video Swin with a mask, which upstream computes once for all models."""
    backbone = dict(
        type='SwinTransformer3D',
        arch=dict(embed_dims=8, depths=[2], num_heads=[2]),
        pretrained=None,
        pretrained2d=False,
        window_size=(2, 2, 2),
        out_indices=(0,),
    )
    return dict(recognizer_config(base_channels=1), backbone=backbone)


def gradients(student, teacher, batch):
    """Of one step of the student."""
    torch.manual_seed(1)
    student.zero_grad()
    set_teacher_output(batch['data_samples'], teacher.teach(batch))
    data = student.data_preprocessor(batch, True)
    losses = student.loss(data['inputs'], data['data_samples'])
    sum(value for name, value in losses.items() if '/loss' in name).backward()
    return [p.grad.clone() for p in student.parameters() if p.grad is not None]


def test_inference_mode_leaves_logits_and_gradients_as_they_are(
    build_teacher, recognizer_config, make_batch
):
    student = MODELS.build(
        dict(
            type='mmdistill.StudentRecognizer',
            recognizer=recognizer_config(),
            losses=dict(
                soft_target=dict(type='mmdistill.SoftTargetLoss'),
                mse=dict(type='mmdistill.LogitMSELoss'),
                feature=dict(
                    type='mmdistill.FeatureMSELoss',
                    student_layer='backbone.layer4',
                    expert='flow',
                    expert_layer='backbone.layer4',
                ),
            ),
        )
    ).train()
    found = []
    for inference_mode in (True, False):
        teacher = build_teacher(inference_mode=inference_mode)
        teacher.watch(student.wanted_features)
        found.append(gradients(student, teacher, make_batch()))
    assert len(found[0]) > 60 and max(g.abs().max() for g in found[0]) > 0
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    output = build_teacher().teach(make_batch())
    assert not any(output.logits[task].is_inference() for task in TASKS)


def test_what_upstream_keeps_for_the_student_may_come_from_an_expert(
    build_teacher, recognizer_config, make_batch
):
    """Video Swin's attention mask is made by whoever runs first: here, under inference mode."""
    model = shifted_windows(recognizer_config)
    student = MODELS.build(
        dict(
            type='mmdistill.StudentRecognizer',
            recognizer=copy.deepcopy(model),
            losses=dict(soft_target=dict(type='mmdistill.SoftTargetLoss')),
        )
    ).train()
    found = []
    for inference_mode in (True, False):
        swin.compute_mask.cache_clear()
        entry = dict(model=copy.deepcopy(model))
        teacher = build_teacher(rgb=entry, flow=entry, inference_mode=inference_mode)
        found.append(gradients(student, teacher, make_batch()))
        assert swin.compute_mask.cache_info().hits > 0
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


class TestPrecision:
    def test_that_of_the_student_never_reaches_the_experts(self, build_teacher, make_batch):
        teacher, batch = build_teacher(), make_batch()
        alone = teacher.teach(batch)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            inside = teacher.teach(batch)
        for task in TASKS:
            assert torch.equal(inside.logits[task], alone.logits[task])

    @pytest.mark.parametrize('autocast, tolerance', [('bfloat16', 2e-2), ('float16', 3e-3)])
    def test_the_experts_own(self, build_teacher, make_batch, autocast, tolerance):
        full, batch = build_teacher().teach(make_batch()), make_batch()
        reduced = build_teacher(autocast=autocast).teach(batch)
        for task in TASKS:
            assert reduced.logits[task].dtype == torch.float32
            assert not torch.equal(reduced.logits[task], full.logits[task])
            scale = full.logits[task].abs().max().item()
            assert torch.allclose(
                reduced.logits[task], full.logits[task], atol=tolerance * scale, rtol=0
            )

    def test_of_a_single_expert_and_of_its_features(self, build_teacher, make_batch):
        full = build_teacher()
        mixed = build_teacher(flow=dict(autocast='bfloat16'))
        mixed.watch([('flow', 'backbone.layer4')])
        one, other = full.teach(make_batch()), mixed.teach(make_batch())
        for task in TASKS:
            changed = (one.expert_logits[task] != other.expert_logits[task]).flatten(2).any(-1)
            assert changed.any(0).tolist() == [False, True]
        [clips] = other.features.values()
        assert all(clip.dtype == torch.float32 for clip in clips)

    def test_another_name(self, build_teacher):
        message = r"Expert 'rgb' has autocast='half'; expected one of \['bfloat16', 'float16'\]"
        with pytest.raises(ValueError, match=message):
            build_teacher(autocast='half')


class TestCompile:
    # Tracing only: the code generator takes a minute for a 3D ResNet.
    EAGER = dict(backend='eager')

    def test_same_logits_and_names(self, build_teacher, make_batch):
        plain, compiled = build_teacher(), build_teacher(compile=self.EAGER)
        assert compiled.state_dict().keys() == plain.state_dict().keys()
        one, other = plain.teach(make_batch()), compiled.teach(make_batch())
        graphs = torch._dynamo.utils.counters['stats']['unique_graphs']
        assert graphs > 0
        for task in TASKS:
            assert torch.equal(one.logits[task], other.logits[task])

    def test_a_compiled_expert_does_not_hand_out_layers(self, build_teacher):
        teacher = build_teacher(flow=dict(compile=self.EAGER))
        teacher.watch([('rgb', 'backbone.layer4')])
        message = r"layer 'backbone.layer4' of expert 'flow'.*set compile=False"
        with pytest.raises(ValueError, match=message):
            teacher.watch([('flow', 'backbone.layer4')])
