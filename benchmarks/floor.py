"""The floor: the same modules in a bare loop of PyTorch, on tensors that are ready.

Shape legend: B = clips, K = classes.
"""

import copy
from collections.abc import Callable, Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdistill.models import MultimodalTeacher, StudentRecognizer

LABEL_WEIGHT, TEACHER_WEIGHT, MAX_NORM = 0.1, 0.9, 5.0

Step = Callable[[], None]


def floor_step(
    student: StudentRecognizer,
    teacher: MultimodalTeacher,
    batch: dict,
    labels: Mapping[str, Tensor],
) -> Step:
    """One iteration as somebody would write it by hand: teach, forward, backward, clip, AdamW.

    Args:
        student: Its recognizer is copied.
        teacher: Whose experts run as they are; their weights have been fitted.
        batch: A collated batch; preprocessed here, once.
        labels: Task to (B,).
    """
    recognizer = copy.deepcopy(student.recognizer).train()
    experts = {name: expert.recognizer for name, expert in teacher.experts.items()}
    ready = {
        name: views_of(tensor)
        for name, tensor in teacher.data_preprocessor(batch, False)['inputs'].items()
    }
    clips = views_of(student.data_preprocessor(batch, True)['inputs'])
    weights = {task: _weights(teacher, batch, task) for task in labels}
    optimizer = torch.optim.AdamW(_groups(recognizer), lr=1e-4)

    def step() -> None:
        with torch.no_grad():
            answers = [answer(expert, ready[name]) for name, expert in experts.items()]
        logits = answer(recognizer, clips)
        loss = torch.zeros((), device=clips.device)
        for task, target in labels.items():
            teacher_BK = sum(
                weight * x[task] for weight, x in zip(weights[task], answers, strict=True)
            )
            loss = loss + LABEL_WEIGHT * F.cross_entropy(logits[task], target)
            loss = loss + TEACHER_WEIGHT * F.kl_div(
                F.log_softmax(logits[task], -1),
                F.log_softmax(teacher_BK, -1),
                reduction='batchmean',
                log_target=True,
            )
        descend(loss, recognizer, optimizer)

    return step


def answer(recognizer: nn.Module, views: Tensor) -> dict[str, Tensor]:
    """Logits per task of clips with one view each."""
    return recognizer.cls_head(recognizer.backbone(views))


def views_of(tensor: Tensor) -> Tensor:
    """(B, V, …) to (B * V, …), as a recognizer's backbone takes it."""
    return tensor.flatten(0, 1)


def descend(loss: Tensor, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Backward, clip and step; reads the loss, as every loop that logs does."""
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)
    optimizer.step()
    # Afterwards, as MMEngine does, so that neither finds gradients in memory when it begins.
    optimizer.zero_grad()
    loss.item()


def _groups(model: nn.Module) -> Iterable[dict]:
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return [dict(params=decayed, weight_decay=0.02), dict(params=others, weight_decay=0.0)]


def _weights(teacher: MultimodalTeacher, batch: dict, task: str) -> list[float]:
    return teacher.teach(batch).weights[task][0].tolist()
