"""h. A fusion student's step against the floor; all subsets of its modalities in one test."""

import copy
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope
from torch import Tensor

from mmdistill.config_tools import load_config
from mmdistill.labels import set_task_labels, task_labels
from mmdistill.metrics.missing import subsets_of
from mmdistill.models import FusionRecognizer, StudentRecognizer
from mmdistill.models.fusion_recognizer import PRESENT
from mmdistill.models.teacher_output import TeacherOutput, set_teacher_output
from mmdistill.registry import MODELS

from .floor import LABEL_WEIGHT, TEACHER_WEIGHT, Step, descend
from .report import Section, comparison, table
from .sizes import FULL, Size
from .timing import Times, in_turns, spread

GOAL, SUBSETS_GOAL = 1.05, 1.5
CONFIGS = dict(
    full='configs/distill/karmma_ek100_rgbflowobj.py', tiny='projects/demo/configs/karmma.py'
)


def run(size: Size, folder: Path) -> Section:
    """Time a step and a test of all subsets against their floors."""
    student = build(CONFIGS['full' if size is FULL else 'tiny'])
    batch = batch_of(size, student)
    steps = in_turns(
        {'mmdistill': our_step(student, batch), 'floor': floor_step(student, batch)}, size.rounds
    )
    tests = in_turns(
        {
            'all subsets': lambda: test_subsets(student, batch, once=True),
            'one subset': lambda: test_all(student, batch),
            'a test per subset': lambda: test_subsets(student, batch, once=False),
        },
        size.rounds,
    )
    return Section('h', 'A student of several modalities', text(steps, tests))


def build(path: str) -> StudentRecognizer:
    """The student of a config with random weights."""
    init_default_scope('mmaction')
    model = load_config(path).model
    for extractor in model.recognizer.extractors.values():
        extractor.checkpoint = None
    student: StudentRecognizer = MODELS.build(model)
    student.init_weights()
    return student.cuda() if torch.cuda.is_available() else student


def batch_of(size: Size, student: StudentRecognizer) -> dict[str, Any]:
    """Raw clips as a loader gives them, of which some lack a modality, with a teacher's answers."""
    recognizer = fusion_of(student)
    generator = torch.Generator().manual_seed(0)
    tasks = recognizer.cls_head.num_classes
    inputs: dict[str, list[Tensor]] = {name: [] for name in recognizer.modalities}
    samples = []
    for i in range(size.batch):
        for name in inputs:
            shape = (1, size.frames, 6, 6) if name == 'obj' else (1, 3, size.frames, *size.pixels)
            clip = torch.rand(shape, generator=generator)
            inputs[name].append(clip if name == 'obj' else (255 * clip).byte())
        there = {name: name != 'flow' or i % 2 == 0 for name in inputs}
        sample = ActionDataSample(metainfo=dict(sample_id=str(i), available=there))
        set_task_labels(sample, {task: i % k for task, k in tasks.items()})
        samples.append(sample)
    logits = {t: torch.randn(size.batch, k, generator=generator) for t, k in tasks.items()}
    answers = {task: x[:, None] for task, x in logits.items()}
    weights = {task: torch.ones(size.batch, 1) for task in tasks}
    set_teacher_output(samples, TeacherOutput(logits, answers, weights))
    return dict(inputs=inputs, data_samples=samples)


def fusion_of(student: StudentRecognizer) -> FusionRecognizer:
    """The fusion model inside a student."""
    assert isinstance(student.recognizer, FusionRecognizer)
    return student.recognizer


def our_step(student: StudentRecognizer, batch: dict[str, Any]) -> Step:
    """Preprocessing of raw clips, all losses, backward and AdamW."""
    student.train()
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-4)

    def step() -> None:
        losses = student(**student.data_preprocessor(dict(batch), True), mode='loss')
        loss, _ = student.parse_losses(losses)
        descend(loss, student, optimizer)

    return step


def floor_step(student: StudentRecognizer, batch: dict[str, Any]) -> Step:
    """The same modules on tensors that are ready, with the losses written out."""
    recognizer = copy.deepcopy(fusion_of(student)).train()
    ready = student.data_preprocessor(dict(batch), True)['inputs']
    present = ready[PRESENT]
    labels = {t: x.to(present.device) for t, x in task_labels(batch['data_samples']).items()}
    targets = {
        task: torch.stack([s.teacher.logits.get(task) for s in batch['data_samples']])
        .to(present.device)
        .log_softmax(-1)
        for task in labels
    }
    optimizer = torch.optim.AdamW(recognizer.parameters(), lr=1e-4)

    def step() -> None:
        tokens = {name: extractor(ready[name]) for name, extractor in recognizer.backbone.items()}
        logits = recognizer.cls_head((recognizer.fusion(tokens, present), present))
        loss = torch.zeros((), device=present.device)
        for task, target_B in labels.items():
            loss = loss + LABEL_WEIGHT * F.cross_entropy(logits[task], target_B)
            loss = loss + TEACHER_WEIGHT * F.kl_div(
                logits[task].log_softmax(-1), targets[task], reduction='batchmean', log_target=True
            )
        descend(loss, recognizer, optimizer)

    return step


@torch.no_grad()
def test_subsets(student: StudentRecognizer, batch: dict[str, Any], once: bool) -> None:
    """Predict a batch on every subset, the extractors running once or each time."""
    recognizer = fusion_of(student).eval()
    data = student.data_preprocessor(dict(batch), False)['inputs']
    tokens = recognizer.tokens(data)
    for subset in subsets_of(recognizer.modalities):
        kept = data[PRESENT].new_tensor([name in subset for name in recognizer.modalities])
        if not once:
            tokens = recognizer.tokens(data)
        recognizer.cls_head(recognizer.fuse(tokens, data[PRESENT] & kept))


@torch.no_grad()
def test_all(student: StudentRecognizer, batch: dict[str, Any]) -> None:
    """Predict a batch once, with all that is there."""
    recognizer = fusion_of(student).eval()
    data = student.data_preprocessor(dict(batch), False)['inputs']
    recognizer.cls_head(recognizer.fuse(recognizer.tokens(data), data[PRESENT]))


test_subsets.__test__ = test_all.__test__ = False  # no tests of pytest's


def text(steps: dict[str, Times], tests: dict[str, Times]) -> str:
    """Both tables, and whether the goals are met."""
    rows = [[name, spread(found.wall).text(3, ' s')] for name, found in (steps | tests).items()]
    return '\n\n'.join(
        [
            'A step of the student alone (preprocessing of raw clips, all losses, backward, AdamW; '
            'its teacher has answered) against the same modules on tensors that are ready; and a '
            'test of every subset of the modalities, whose extractors run once.',
            table(['', 'wall clock'], rows),
            comparison('step: mmdistill ÷ floor', steps['mmdistill'], steps['floor'], GOAL),
            comparison(
                'all subsets ÷ one subset', tests['all subsets'], tests['one subset'], SUBSETS_GOAL
            ),
        ]
    )
