"""The student: any MMAction2 recognizer, trained on labels and on the teacher's targets."""

from functools import partial
from typing import Any

from mmaction.utils import ForwardResults, OptSampleList, SampleList
from mmengine.model import BaseDataPreprocessor, BaseModel
from torch import Tensor, nn

from ..losses import FeatureLoss, WeightSchedule
from ..losses.schedule import build_weight
from ..registry import MODELS
from .batch_inputs import Reads, availability, check_present, inputs_of
from .blending import Blend, blend_batch, take_blending
from .distillation import build_losses, check_losses, feature_losses
from .features import captured_features
from .label_losses import label_losses
from .logits import (
    by_task,
    captured_logits,
    mean_over_views,
    num_classes_by_task,
    run_recognizer,
)
from .multitask_head import MultitaskHead
from .probes import agreement, gradient_ratio
from .recognizer_config import fit_to_tasks, resolve_recognizer
from .teacher_output import Feature, taught_clips, teacher_logits
from .untaught import UNTAUGHT, losses_of_taught, losses_of_untaught

RECOGNIZER = 'recognizer.'


class StudentDataPreprocessor(BaseDataPreprocessor):
    """Hand the recognizer's own preprocessor the modality that the student reads."""

    def __init__(self, preprocessor: BaseDataPreprocessor, modality: Reads) -> None:
        super().__init__(non_blocking=True)
        self.preprocessor = preprocessor
        self.modality = modality

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Preprocess `inputs[modality]`, or `inputs` itself in a unimodal batch."""
        inputs = inputs_of(data['inputs'], self.modality, 'The student')
        samples = data.get('data_samples')
        check_present(samples, self.modality, 'The student')
        if not isinstance(self.modality, str):
            data = {**data, 'available': availability(samples, self.modality)}
        return self.preprocessor({**data, 'inputs': inputs}, training)


@MODELS.register_module()
class StudentRecognizer(BaseModel):
    """Train a recognizer by lambda * T^2 * KL(teacher || student) + (1 - lambda) * CE.

    Radevski et al., ICCV 2023, eq. 1; further losses are added to it. The teacher's logits and
    features come on the data samples, where `DistillationLossHook` (or a cache) put them. A clip
    without a label learns from the teacher alone. The state dict is the recognizer's own, key for
    key, so a checkpoint loads strictly into the stock recognizer; at test the recognizer is all
    there is.

    Args:
        recognizer: Config of any MMAction2 recognizer; or `dict(config='mmaction::…')` with a path
            or upstream's name of a whole config, whose `model` the dict's other keys change.
        losses: Name to the config of a distillation loss; see `mmdistill.losses.base`. Logit
            losses are applied to every task. A `loss_weight` is a number or a schedule.
        label_weight: (1 - lambda), the factor on the recognizer's own losses; a number, or a
            schedule such as `dict(type='mmdistill.LinearWeight', start=0.0, end=0.9)`.
        modality: The batch key that the student reads; for a multimodal recognizer, the name of
            each of its inputs to a batch key.
        tasks: Task to number of classes: the recognizer's stock head becomes one classifier per
            task. None leaves the head as its config has it.
        init_cfg: MMEngine's initialisation config.

    Raises:
        KeyError: A loss names a layer that the recognizer does not have.
        ValueError: A loss does not go with the recognizer.
    """

    def __init__(
        self,
        recognizer: dict[str, Any],
        losses: dict[str, dict[str, Any]],
        label_weight: float | dict[str, Any] = 1.0,
        modality: Reads = 'rgb',
        tasks: dict[str, int] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        recognizer = resolve_recognizer(recognizer)
        model = MODELS.build(fit_to_tasks(recognizer, tasks) if tasks else recognizer)
        preprocessor = StudentDataPreprocessor(model.data_preprocessor, modality)
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self.recognizer = model
        self.losses, self.schedules = build_losses(losses)
        check_losses(self.losses, model)
        # Its own draw would come after the teacher's answer: see `blend`.
        self.blending = take_blending(model.data_preprocessor)
        self.label_weight = build_weight(label_weight, 'label_weight')
        # Fraction of training that is done; DistillationLossHook moves it on.
        self.progress = 0.0
        self.probe_gradients = False
        # Task to the training clips of each class, (K,); DistillationLossHook counts them.
        self.class_counts: dict[str, Tensor] = {}
        if isinstance(model.cls_head, MultitaskHead):
            model.cls_head.allow_unlabelled = True
        self._register_state_dict_hook(as_bare_recognizer)
        self._register_load_state_dict_pre_hook(from_bare_recognizer, with_module=True)

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

    @property
    def wanted_features(self) -> list[Feature]:
        """(expert, layer) of every feature that a loss compares the student's with."""
        return list(dict.fromkeys((x.expert, x.expert_layer) for x in self._feature_losses))

    @property
    def _feature_losses(self) -> list[FeatureLoss]:
        return [loss for loss in self.losses.values() if isinstance(loss, FeatureLoss)]

    @property
    def scheduled_weights(self) -> dict[str, float]:
        """The present value of every weight that follows a schedule, under its name in the log."""
        weights = {
            f'loss_weight/{name}': schedule(self.progress)
            for name, schedule in self.schedules.items()
        }
        if isinstance(self.label_weight, WeightSchedule):
            weights['label_weight'] = self.label_weight(self.progress)
        return weights

    @property
    def temperatures(self) -> dict[str, float]:
        """Name of a loss to its temperature, of those that have one."""
        found = {name: getattr(loss, 'temperature', None) for name, loss in self.losses.items()}
        return {name: value for name, value in found.items() if value is not None}

    def forward(
        self,
        inputs: Tensor,
        data_samples: OptSampleList = None,
        mode: str = 'tensor',
        **kwargs: Any,
    ) -> ForwardResults:
        """As MMAction2's recognizers; only `mode='loss'` does more."""
        if mode == 'loss':
            return self.loss(inputs, data_samples, **kwargs)
        return run_recognizer(self.recognizer, inputs, data_samples, mode, **kwargs)

    def loss(self, inputs: Tensor, data_samples: SampleList, **kwargs: Any) -> dict[str, Tensor]:
        """Losses of the labels and of the teacher, under the names they have in the log.

        The recognizer's own, times `label_weight`; `<task>/loss_<name>` per logit loss and
        `features/loss_<name>` per feature loss; and `<task>/distillation`, the sum of a task's,
        and `distillation`, the sum of all, which MMEngine does not add to the loss again. Where the
        teacher has nothing to say about a clip, `<task>/loss_untaught` lets its label teach. Beside
        them `<task>/agreement` with the teacher and, if `probe_gradients`, `gradient_ratio`.
        """
        layers = [loss.student_layer for loss in self._feature_losses]
        with (
            captured_logits(self.recognizer.cls_head) as outputs,
            captured_features(self.recognizer, layers) as features,
        ):
            results = label_losses(self.recognizer, inputs, data_samples, **kwargs)
        weight = self.scheduled_weights.get('label_weight', self.label_weight)
        losses = {
            name: value * weight if 'loss' in name else value for name, value in results.items()
        }
        raw = by_task(outputs[-1], self.recognizer.cls_head)
        student = mean_over_views(raw, len(data_samples))
        teacher = teacher_logits(data_samples)
        rows = taught_clips(data_samples)
        parts = losses_of_taught(
            self.losses, student, teacher, data_samples, rows, self.class_counts
        )
        parts['features'] = feature_losses(self.losses, features, data_samples)
        taught = self._weighed(parts)
        if len(rows) < len(data_samples):
            instead = losses_of_untaught(student, data_samples, rows, 1 - weight)
            losses |= {f'{task}/loss_{UNTAUGHT}': value for task, value in instead.items()}
        found = {f'{t}/agreement': agreement(student[t][rows], teacher[t][rows]) for t in student}
        if self.probe_gradients:
            sides = [[v for k, v in side.items() if 'loss' in k] for side in (losses, taught)]
            ratio = gradient_ratio(*sides, list(raw.values()))
            found |= {} if ratio is None else {'gradient_ratio': ratio}
        return losses | taught | found

    def _weighed(self, parts: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
        """The parts under their schedules, and their sums."""
        losses, sums = {}, []
        for task, by_name in parts.items():
            for name, value in by_name.items():
                if name in self.schedules:
                    value = value * self.schedules[name](self.progress)
                losses[f'{task}/loss_{name}'] = by_name[name] = value
            if by_name:
                losses[f'{task}/distillation'] = sum(by_name.values()).detach()
                sums.append(losses[f'{task}/distillation'])
        if sums:
            losses['distillation'] = sum(sums)
        return losses


def as_bare_recognizer(
    module: nn.Module, state: dict[str, Any], prefix: str, metadata: dict[str, Any]
) -> None:
    """Name the recognizer's entries as it would itself, and leave out what is not its own."""
    for key in [key for key in state if key.startswith(prefix)]:
        value, inner = state.pop(key), key[len(prefix) :]
        if inner.startswith(RECOGNIZER):
            state[prefix + inner[len(RECOGNIZER) :]] = value


def from_bare_recognizer(module: nn.Module, state: dict[str, Any], prefix: str, *args: Any) -> None:
    """Undo `as_bare_recognizer` before loading; the other parts keep what they have."""
    for key in [key for key in state if key.startswith(prefix)]:
        state[prefix + RECOGNIZER + key[len(prefix) :]] = state.pop(key)
    for part in filter(partial(hasattr, module), ('data_preprocessor', 'losses')):
        for name, value in getattr(module, part).state_dict().items():
            state[f'{prefix}{part}.{name}'] = value
