"""What a config must do: be a student, and be an expert of a teacher."""

import copy
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import mmaction.engine  # noqa: F401  (weight initialisers, which a runner would import)
import mmcv.ops
import numpy as np
import torch
from mmengine.logging import MessageHub
from mmengine.model import revert_sync_batchnorm
from random_batch import random_batch
from torch import Tensor, nn
from upstream_configs import read_small

from mmdistill.hooks import DistillationLossHook
from mmdistill.hooks.distillation_loss_hook import check_classes
from mmdistill.models.logits import num_classes_by_task
from mmdistill.registry import MODELS

NUM_CLIPS = 2
LOSSES = dict(soft_target=dict(type='mmdistill.SoftTargetLoss', loss_weight=0.9))


class Case:
    """One config: its small model, and batches of the shape that its pipeline packs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cfg, self.options = read_small(name)
        two_streams = self.cfg.model.type == 'MMRecognizer3D'
        self.modality = dict(imgs='own', heatmap_imgs='pose') if two_streams else 'own'

    def recognizer(self) -> nn.Module:
        """The stock recognizer, its weights drawn by its own `init_weights`."""
        model = MODELS.build(copy.deepcopy(self.cfg.model))
        model.init_weights()
        return revert_sync_batchnorm(model)

    def student(self) -> nn.Module:
        """The config's model as a student."""
        model = MODELS.build(student_config(copy.deepcopy(self.cfg.model), self.modality))
        model.init_weights()
        return revert_sync_batchnorm(model)

    def batch(self, training: bool) -> dict[str, Any]:
        """A batch; one clip at test where the config's `max_testing_views` wants it so."""
        one = not training and (self.cfg.model.get('test_cfg') or {}).get('max_testing_views')
        return random_batch(self.cfg, 1 if one else NUM_CLIPS, training)

    def own(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The batch as the stock recognizer reads it, in containers of its own."""
        inputs, names = batch['inputs'], self.modality
        mine = inputs[names] if isinstance(names, str) else {k: inputs[v] for k, v in names.items()}
        return dict(inputs=copy.copy(mine), data_samples=copy.deepcopy(batch['data_samples']))


def student_config(recognizer: dict, modality: Any) -> dict:
    return dict(
        type='mmdistill.StudentRecognizer',
        recognizer=recognizer,
        losses=LOSSES,
        label_weight=0.1,
        modality=modality,
    )


def small_recognizer(num_classes: int) -> dict:
    """A 3D ResNet-18 with few channels, for the part that is not under test."""
    return dict(
        type='Recognizer3D',
        backbone=dict(
            type='ResNet3d',
            depth=18,
            pretrained=None,
            pretrained2d=False,
            base_channels=4,
            conv1_kernel=(1, 3, 3),
            conv1_stride_t=1,
            pool1_stride_t=1,
            temporal_strides=(1, 1, 1, 1),
        ),
        data_preprocessor=dict(
            type='ActionDataPreprocessor', mean=[128.0], std=[64.0], format_shape='NCTHW'
        ),
        cls_head=dict(type='I3DHead', in_channels=32, num_classes=num_classes),
    )


def teacher_of(experts: dict[str, dict]) -> nn.Module:
    return MODELS.build(
        dict(
            type='mmdistill.MultimodalTeacher',
            experts=experts,
            weighting=dict(type='mmdistill.SampleSoftminWeighting', temperature=1.0),
        )
    )


def check_student(case: Case) -> None:
    """One distillation step and one test step of the config as a student."""
    torch.manual_seed(0)
    student = case.student()
    [num_classes] = num_classes_by_task(student.recognizer).values()
    partner = dict(model=small_recognizer(num_classes), checkpoint=None, modality='flow')
    distil(student, teacher_of(dict(partner=partner)), case.batch(training=True))

    stock = case.recognizer()
    settle(student.recognizer, case)
    with tempfile.NamedTemporaryFile(suffix='.pth') as file:
        torch.save(student.state_dict(), file.name)
        stock.load_state_dict(torch.load(file.name, weights_only=True), strict=True)
    batch = case.batch(training=False)
    for turn in ('first', 'second'):
        theirs = predicted(stock, case.own(batch))
        ours = predicted(student, copy.deepcopy(batch))
        expect(ours.isfinite().all(), 'the student predicts what is not a number')
        expect(torch.equal(ours, theirs), f'predictions differ after the round trip ({turn} test)')
    case.recognizer().load_state_dict(student.state_dict(), strict=True)


def check_expert(case: Case) -> None:
    """The config as an expert beside another one, teaching a small student for one step."""
    torch.manual_seed(0)
    stock = settle(case.recognizer(), case)
    [num_classes] = num_classes_by_task(stock).values()
    with tempfile.NamedTemporaryFile(suffix='.pth') as file:
        torch.save(dict(state_dict=stock.state_dict(), meta={}), file.name)
        own = dict(
            config=f'mmaction::{case.name}',
            cfg_options=copy.deepcopy(case.options),
            checkpoint=file.name,
            modality=case.modality,
        )
        partner = dict(model=small_recognizer(num_classes), checkpoint=None, modality='flow')
        teacher = teacher_of(dict(own=own, partner=partner))
    student = MODELS.build(student_config(small_recognizer(num_classes), 'flow'))
    distil(student, teacher, case.batch(training=True))

    batch = case.batch(training=False)
    stock.cls_head.average_clips = 'score'
    theirs = predicted(stock, case.own(batch))
    reseed()
    ours = teacher.teach(batch).expert_logits['action'][:, 0]
    expect(torch.allclose(ours, theirs, atol=1e-4), 'the expert answers unlike the recognizer')


def distil(student: nn.Module, teacher: nn.Module, batch: dict[str, Any]) -> None:
    """A training step as the runner and the hook make it, and what must hold around it."""
    check_classes(student, teacher)
    frozen = {key: value.clone() for key, value in teacher.state_dict().items()}
    hook = DistillationLossHook()
    hook.teacher = teacher
    student.train()
    hub = MessageHub.get_instance('conformance')
    runner = SimpleNamespace(model=student, iter=0, max_iters=1, message_hub=hub)
    hook.before_train_iter(runner, 0, batch)
    losses = student(**student.data_preprocessor(batch, True), mode='loss')
    expect('action/loss_soft_target' in losses, f'no distillation loss among {sorted(losses)}')
    total, _ = student.parse_losses(losses)
    total.backward()
    gradients = [p.grad for p in student.parameters() if p.grad is not None]
    expect(len(gradients) > 0, 'no gradient reaches the student')
    expect(all(grad.isfinite().all() for grad in gradients), 'a gradient is not finite')
    expect(any(grad.abs().sum() > 0 for grad in gradients), 'every gradient is zero')
    torch.optim.SGD(student.parameters(), lr=1e-3).step()
    after = teacher.state_dict()
    expect(after.keys() == frozen.keys(), 'the teacher has other entries than before')
    expect(
        all(torch.equal(after[key], value) for key, value in frozen.items()), 'the teacher moved'
    )
    expect(
        all(p.grad is None and not p.requires_grad for p in teacher.parameters()),
        'the teacher has gradients',
    )


def check_upstream(case: Case) -> None:
    """The same steps without mmdistill, to see whose fault a failure is."""
    torch.manual_seed(0)
    stock = case.recognizer()
    data = stock.data_preprocessor(case.own(case.batch(training=True)), True)
    losses = stock._run_forward(data, mode='loss')
    stock.parse_losses(losses)[0].backward()
    predicted(stock, case.own(case.batch(training=False)))


@torch.no_grad()
def settle(recognizer: nn.Module, case: Case) -> nn.Module:
    """Give batch norms the statistics of a batch: with those of no data, deep nets overflow."""
    norms = [m for m in recognizer.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    recognizer.train()
    data = recognizer.data_preprocessor(case.own(case.batch(training=True)), False)
    recognizer._run_forward(data, mode='loss')
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
    return recognizer.eval()


def reseed() -> None:
    """TRN draws the frames that it relates at every forward, at test too."""
    torch.manual_seed(0)
    np.random.seed(0)


@torch.no_grad()
def predicted(model: nn.Module, batch: dict[str, Any]) -> Tensor:
    """Scores of a test step, as in MMEngine's loop: (B, K); two streams are averaged."""
    reseed()
    rows = [sample.pred_score for sample in model.eval().test_step(batch)]
    if not isinstance(rows[0], Tensor):
        rows = [torch.stack(list(row.values())).mean(0) for row in rows]
    return torch.stack(rows)


def expect(holds: bool, complaint: str) -> None:
    if not holds:
        raise AssertionError(complaint)


def outcome(check: Callable[[Case], None], case: Case) -> str:
    """'yes', or why not, in one line."""
    try:
        check(case)
    # Whatever a config does, the walk goes on.
    except Exception as error:
        return ' '.join(f'{type(error).__name__}: {error}'.split())[:200]
    return 'yes'


@contextmanager
def tin_shift_on_cpu() -> Iterator[None]:
    """Stand in for mmcv's `tin_shift`, of which only the CUDA kernel exists."""
    original = mmcv.ops.tin_shift
    mmcv.ops.tin_shift = shift_segments
    try:
        yield
    finally:
        mmcv.ops.tin_shift = original


def shift_segments(data_NTCH: Tensor, shift_NG: Tensor) -> Tensor:
    """Move each group of channels by its number of segments, zeros flowing in."""
    num_segs, groups = data_NTCH.shape[1], shift_NG.shape[1]
    parts = data_NTCH.chunk(groups, dim=2)
    source = torch.arange(num_segs, device=data_NTCH.device)
    moved = []
    for group, part in enumerate(parts):
        index_NT = source + shift_NG[:, group, None].long()
        inside = ((index_NT >= 0) & (index_NT < num_segs))[..., None, None]
        index = index_NT.clamp(0, num_segs - 1)[..., None, None].expand_as(part)
        moved.append(part.gather(1, index) * inside)
    return torch.cat(moved, dim=2)
