"""The student: any MMAction2 recognizer, trained on labels and on the teacher's targets."""

from typing import Any

from mmaction.utils import ForwardResults, OptSampleList, SampleList
from mmengine.model import BaseDataPreprocessor, BaseModel, ModuleDict
from torch import Tensor, nn

from ..registry import MODELS
from .batch_inputs import Reads, inputs_of
from .blending import Blend, blend_batch, take_blending
from .logits import (
    by_task,
    captured_logits,
    mean_over_views,
    num_classes_by_task,
    run_recognizer,
)
from .recognizer_config import fit_to_tasks, resolve_recognizer
from .teacher import teacher_logits

RECOGNIZER = 'recognizer.'


class StudentDataPreprocessor(BaseDataPreprocessor):
    """Hand the recognizer's own preprocessor the modality that the student reads."""

    def __init__(self, preprocessor: BaseDataPreprocessor, modality: Reads) -> None:
        super().__init__()
        self.preprocessor = preprocessor
        self.modality = modality

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Preprocess `inputs[modality]`, or `inputs` itself in a unimodal batch."""
        inputs = inputs_of(data['inputs'], self.modality, 'The student')
        return self.preprocessor({**data, 'inputs': inputs}, training)


@MODELS.register_module()
class StudentRecognizer(BaseModel):
    """Train a recognizer by lambda * T^2 * KL(teacher || student) + (1 - lambda) * CE.

    Radevski et al., ICCV 2023, eq. 1. The teacher's logits come on the data samples, where
    `DistillationLossHook` (or a cache) put them. The state dict is the recognizer's own, key for
    key, so a checkpoint loads strictly into the stock recognizer; at test the recognizer is all
    there is.

    Args:
        recognizer: Config of any MMAction2 recognizer; or `dict(config='mmaction::…')` with a path
            or upstream's name of a whole config, whose `model` the dict's other keys change.
        losses: Name to the config of a distillation loss; each is applied to every task.
        label_weight: (1 - lambda), the factor on the recognizer's own losses.
        modality: The batch key that the student reads; for a multimodal recognizer, the name of
            each of its inputs to a batch key.
        tasks: Task to number of classes: the recognizer's stock head becomes one classifier per
            task. None leaves the head as its config has it.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        recognizer: dict,
        losses: dict[str, dict],
        label_weight: float = 1.0,
        modality: Reads = 'rgb',
        tasks: dict[str, int] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        recognizer = resolve_recognizer(recognizer)
        model = MODELS.build(fit_to_tasks(recognizer, tasks) if tasks else recognizer)
        preprocessor = StudentDataPreprocessor(model.data_preprocessor, modality)
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self.recognizer = model
        # Its own draw would come after the teacher's answer: see `blend`.
        self.blending = take_blending(model.data_preprocessor)
        self.losses = ModuleDict({name: MODELS.build(cfg) for name, cfg in losses.items()})
        self.label_weight = label_weight
        self._register_state_dict_hook(_as_bare_recognizer)
        self._register_load_state_dict_pre_hook(_from_bare_recognizer, with_module=True)

    def blend(self, batch: dict[str, Any]) -> Blend | None:
        """Mixup or CutMix as the recognizer's config says, in place, before anyone reads the batch.

        Returns:
            What was drawn, for the teacher; None if the batch is as it was.
        """
        if self.blending is None:
            return None
        batch.update(self.data_preprocessor.cast_data(batch))
        num_classes = num_classes_by_task(self.recognizer)
        return blend_batch(self.blending, batch, self.data_preprocessor.modality, num_classes)

    def forward(
        self, inputs: Tensor, data_samples: OptSampleList = None, mode: str = 'tensor', **kwargs
    ) -> ForwardResults:
        """As MMAction2's recognizers; only `mode='loss'` does more."""
        if mode == 'loss':
            return self.loss(inputs, data_samples, **kwargs)
        return run_recognizer(self.recognizer, inputs, data_samples, mode, **kwargs)

    def loss(self, inputs: Tensor, data_samples: SampleList, **kwargs) -> dict[str, Tensor]:
        """The recognizer's losses times `label_weight`, and `<task>/loss_<name>` per loss."""
        with captured_logits(self.recognizer.cls_head) as outputs:
            results = run_recognizer(self.recognizer, inputs, data_samples, 'loss', **kwargs)
        losses = {
            name: value * self.label_weight if 'loss' in name else value
            for name, value in results.items()
        }
        student = mean_over_views(by_task(outputs[-1], self.recognizer.cls_head), len(data_samples))
        teacher = teacher_logits(data_samples)
        for task, logits in student.items():
            target = _target_of(task, teacher, logits)
            for name, loss in self.losses.items():
                losses[f'{task}/loss_{name}'] = loss(logits, target)
        return losses


def _target_of(task: str, teacher: dict[str, Tensor], logits: Tensor) -> Tensor:
    if task not in teacher:
        raise KeyError(
            f'The student has a head for {task!r}, but the teacher answered for '
            f'{sorted(teacher)}; give the experts the same tasks.'
        )
    return teacher[task].to(logits.device)


def _as_bare_recognizer(module: nn.Module, state: dict, prefix: str, metadata: dict) -> None:
    """Name the recognizer's entries as it would itself, and leave out what is not its own."""
    for key in [key for key in state if key.startswith(prefix)]:
        value, inner = state.pop(key), key[len(prefix) :]
        if inner.startswith(RECOGNIZER):
            state[prefix + inner[len(RECOGNIZER) :]] = value


def _from_bare_recognizer(module: nn.Module, state: dict, prefix: str, *args: Any) -> None:
    """Undo `_as_bare_recognizer` before loading; the other parts keep what they have."""
    for key in [key for key in state if key.startswith(prefix)]:
        state[prefix + RECOGNIZER + key[len(prefix) :]] = state.pop(key)
    for part in ('data_preprocessor', 'losses'):
        for name, value in getattr(module, part).state_dict().items():
            state[f'{prefix}{part}.{name}'] = value
