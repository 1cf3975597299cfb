"""What must be right on a GPU: the same answers as on the CPU, and no waiting inside a step."""

import copy

import pytest
import torch

from mmdistill.models.teacher_output import set_teacher_output
from mmdistill.registry import MODELS

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
CLASSES = dict(verb=4, noun=5)


def teacher_of(recognizer_config, **changes):
    experts = {name: dict(model=recognizer_config(), checkpoint=None) for name in ('rgb', 'flow')}
    weighting = dict(type='mmdistill.UniformWeighting')
    return MODELS.build(
        dict(type='mmdistill.MultimodalTeacher', experts=experts, weighting=weighting, **changes)
    )


def student_of(recognizer):
    return MODELS.build(
        dict(
            type='mmdistill.StudentRecognizer',
            recognizer=recognizer,
            losses=dict(kd=dict(type='mmdistill.SoftTargetLoss', loss_weight=0.9)),
            label_weight=0.1,
        )
    )


def step(student, teacher, batch):
    """Losses and the gradient of the first layer of one training step."""
    set_teacher_output(batch['data_samples'], teacher.teach(batch))
    losses = student(**student.data_preprocessor(batch, True), mode='loss')
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    gradient = next(p.grad for p in student.parameters() if p.grad is not None)
    return {k: float(v) for k, v in losses.items() if 'loss' in k}, gradient.cpu()


@pytest.mark.parametrize('missing', [False, True])
def test_a_step_is_that_of_the_cpu(recognizer_config, make_batch, missing):
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    batch = make_batch()
    if missing:
        batch['data_samples'][1].set_metainfo(dict(available=dict(rgb=True, flow=False)))
    student = student_of(recognizer_config(dropout_ratio=0.0))
    student.init_weights()
    teacher = teacher_of(recognizer_config)
    there = copy.deepcopy(student).cuda(), copy.deepcopy(teacher).cuda()
    here, gradient = step(student, teacher, copy.deepcopy(batch))
    cuda, cuda_gradient = step(*there, batch)
    assert cuda == pytest.approx(here, rel=1e-3, abs=1e-5)
    torch.testing.assert_close(cuda_gradient, gradient, rtol=1e-2, atol=1e-4)


def test_the_teacher_and_the_losses_never_wait_for_the_device(recognizer_config, make_batch):
    teacher = teacher_of(recognizer_config).cuda()
    loss = MODELS.build(dict(type='mmdistill.SoftTargetLoss', temperature=2.0)).cuda()
    batch = make_batch()
    batch['inputs'] = {k: [x.cuda() for x in clips] for k, clips in batch['inputs'].items()}
    teacher.teach(batch)  # what is set up once may wait
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode('error')
    try:
        output = teacher.teach(batch)
        logits = torch.randn_like(output.logits['verb']).requires_grad_()
        loss(logits, output.logits['verb']).backward()
    finally:
        torch.cuda.set_sync_debug_mode('default')


def test_a_fusion_model_trains(recognizer_config, make_batch):
    head = dict(type='I3DHead', in_channels=16, spatial_type=None, dropout_ratio=0.0)
    fused = MODELS.build(
        dict(
            type='mmdistill.FusionRecognizer',
            extractors={n: dict(model=recognizer_config()) for n in ('rgb', 'flow')},
            fusion=dict(in_channels=dict(rgb=32, flow=32), embed_dims=16, num_tokens=2),
            cls_head=dict(
                type='mmdistill.FusionHead',
                embed_dims=16,
                heads={task: dict(head, num_classes=k) for task, k in CLASSES.items()},
            ),
        )
    ).cuda()
    batch = make_batch()
    batch['data_samples'][1].set_metainfo(dict(available=dict(rgb=True, flow=False)))
    with torch.autocast('cuda', torch.bfloat16):
        losses = fused(**fused.data_preprocessor(batch, True), mode='loss')
    (losses['verb/loss_cls'] + losses['noun/loss_cls']).backward()
    assert fused.seen.tolist() == [False, True, False, True]
    assert all(torch.isfinite(p.grad).all() for p in fused.parameters())
