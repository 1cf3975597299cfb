"""Self-distillation: the teacher is the moving average of the student."""

import copy
from typing import Any

import torch
from mmengine.model import ModuleDict
from torch import Tensor

from ..ranges import Range
from ..registry import MODELS
from .expert import Expert
from .student import StudentRecognizer
from .teacher import MultimodalTeacher

MOMENTUM = Range(0, 1)
EMA = 'ema'


@MODELS.register_module()
class EMATeacher(MultimodalTeacher):
    """A mean teacher: its one expert is an exponential moving average of the student's weights.

    Tarvainen and Valpola, *Mean teachers are better role models*, NeurIPS 2017. After step n the
    average moves by 1 - min(momentum, (1 + n) / (10 + n)), so that the first weights, which are
    random, are soon forgotten. Statistics of batch normalisation are the student's. The average
    is stored with the run, beside the student's own state dict, and restored on resume.

    Args:
        momentum: How much of the average stays in a step, from 0 to 1.
        weighting: Not needed: there is one expert.
        kwargs: As `MultimodalTeacher` takes them, without experts.

    Raises:
        ValueError: The momentum is out of range.
    """

    def __init__(
        self, momentum: float = 0.999, weighting: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        MOMENTUM.check(momentum=momentum)
        super().__init__({}, weighting or dict(type='mmdistill.UniformWeighting'), **kwargs)
        self.momentum, self.steps = momentum, 0

    def take_experts(self, experts: ModuleDict) -> None:
        """As `MultimodalTeacher`; without any until there is a student."""
        if experts:
            super().take_experts(experts)

    def prepare(self, student: StudentRecognizer) -> None:
        """Begin as a copy of the student, on its device."""
        modality = student.data_preprocessor.modality
        expert = Expert.of(EMA, copy.deepcopy(student.recognizer), modality)
        self.take_experts(ModuleDict({EMA: expert}))

    @torch.no_grad()
    def follow(self, student: StudentRecognizer) -> None:
        """Move towards the student, after its step."""
        keep = min(self.momentum, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        average, recognizer = self.experts[EMA].recognizer, student.recognizer
        ours, theirs = list(average.parameters()), list(recognizer.parameters())
        torch._foreach_lerp_(ours, [p.to(q) for p, q in zip(theirs, ours, strict=True)], 1 - keep)
        for buffer, other in zip(average.buffers(), recognizer.buffers(), strict=True):
            buffer.copy_(other)

    def own_state(self) -> dict[str, Tensor]:
        """The average, and how many steps it has followed."""
        state = self.experts[EMA].recognizer.state_dict()
        return {'steps': torch.tensor(self.steps)} | {k: v.cpu() for k, v in state.items()}

    def load_own_state(self, state: dict[str, Tensor]) -> None:
        """Restore `own_state`."""
        state = dict(state)
        self.steps = int(state.pop('steps'))
        self.experts[EMA].recognizer.load_state_dict(state)
