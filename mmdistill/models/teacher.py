"""The multimodal teacher: frozen experts, and weights that fuse their logits per task.

Shape legend: B = clips, M = experts, K = classes.
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch
from mmaction.utils import OptSampleList, SampleList
from mmengine.model import BaseModel, ModuleDict
from torch import Tensor

from ..joint_actions import ACTION
from ..registry import MODELS
from .blending import Blend
from .class_names import ClassNames, check_class_names
from .expert import Expert, build_expert
from .features import captured_features, check_layer, feature_of
from .frozen_run import without_gradients
from .fusion import ExpertFusion, build_weightings
from .teacher_inputs import TeacherDataPreprocessor
from .teacher_output import ExpertAnswers, Feature, TeacherOutput

if TYPE_CHECKING:
    from .student import StudentRecognizer


@MODELS.register_module()
class MultimodalTeacher(ExpertFusion, BaseModel):
    """Fuse frozen unimodal experts: z_T = sum over m of w_m z_m, on raw logits, per task.

    Radevski et al., *Multimodal Distillation for Egocentric Action Recognition*, ICCV 2023,
    sec. 3.2. Also a model of its own: `mmdistill test` evaluates it like a student.

    Args:
        experts: Name to `dict(config=…, checkpoint=…, modality=…)`; see `Expert`.
        weighting: A registered weighting for every task, or task to weighting.
        inference_mode: Run the experts under torch's inference mode; False for `no_grad`, under
            which those run in any case whose features a loss compares.
        autocast: Precision of the experts' own, 'bfloat16' or 'float16'; None for float32. The
            student's never reaches them. An expert's entry may say another.
        compile: True or arguments of `torch.compile` to compile the experts. An expert's entry may
            say otherwise.
        share_inputs: Bring a batch to the device once for student and experts, and let experts
            that preprocess a modality alike read one tensor.
        prefetch: In training, ask the experts about the next batch while the student steps; on
            CUDA on a stream of their own.

    Raises:
        ValueError: There is no expert, or the experts do not know the same classes in one order.
    """

    live = True
    holdout = None  # the experts are asked

    def __init__(
        self,
        experts: dict[str, dict[str, Any]],
        weighting: dict[str, Any],
        inference_mode: bool = True,
        autocast: str | None = None,
        compile: bool | dict[str, Any] = False,
        share_inputs: bool = True,
        prefetch: bool = False,
    ) -> None:
        super().__init__()
        self.inference_mode, self.share_inputs = inference_mode, share_inputs
        self.prefetch, self.weighting = prefetch, weighting
        self._watched: dict[str, list[str]] = {}
        for_all = dict(autocast=autocast, compile=compile)
        self.take_experts(
            ModuleDict({name: build_expert(name, {**for_all, **x}) for name, x in experts.items()})
        )

    def take_experts(self, experts: ModuleDict) -> None:
        """Have these experts, frozen, from now on.

        Raises:
            ValueError: There is none, or they do not know the same classes in one order.
        """
        if not experts:
            raise ValueError('MultimodalTeacher got no experts; give at least one.')
        self.experts = experts
        self.data_preprocessor = TeacherDataPreprocessor(self.experts, self.share_inputs)
        self.num_classes = _common_classes(self.experts)
        check_class_names(self.class_names)
        self.weightings = build_weightings(self.weighting, list(self.num_classes))
        self.requires_grad_(False)
        self.train(False)

    def prepare(self, student: 'StudentRecognizer') -> None:
        """Meet the student before training; experts that are frozen need not."""

    def follow(self, student: 'StudentRecognizer') -> None:
        """Look at the student after its step; experts that are frozen need not."""

    def own_state(self) -> dict[str, Tensor]:
        """What changes in training, for the run's checkpoint; of frozen experts nothing."""
        return {}

    def load_own_state(self, state: dict[str, Tensor]) -> None:
        """Restore `own_state`."""

    def train(self, mode: bool = True) -> 'MultimodalTeacher':
        """Ignore `mode`: a teacher never leaves evaluation."""
        return super().train(False)

    def watch(self, features: Iterable[Feature]) -> None:
        """From now on, let `teach` return the outputs of these layers as well.

        Raises:
            KeyError: There is no such expert, or it has no such layer.
            ValueError: The expert is compiled.
        """
        watched: dict[str, list[str]] = {}
        for name, layer in features:
            if name not in self.experts:
                raise KeyError(
                    f'A feature loss asks for expert {name!r}, but the teacher has '
                    f'{list(self.experts)}; correct the loss, or add the expert.'
                )
            check_layer(self.experts[name].recognizer, layer, f'expert {name!r}')
            if self.experts[name].compiled:
                raise ValueError(
                    f'A feature loss asks for layer {layer!r} of expert {name!r}, but a compiled '
                    'expert does not hand out its layers: set compile=False in its entry.'
                )
            watched.setdefault(name, []).append(layer)
        self._watched = watched

    @torch.no_grad()
    def teach(
        self,
        batch: dict[str, Any],
        blend: Blend | None = None,
        answers: ExpertAnswers | None = None,
    ) -> TeacherOutput:
        """Run the experts on a collated batch and fuse what they say.

        Of an expert whose modality cannot be blended, the logits are: see `Blend`.

        Args:
            batch: `inputs` and `data_samples`.
            blend: What was blended in it.
            answers: What the experts say, if they have been asked already.
        """
        logits, captured = answers or self.ask(batch)
        if blend is not None:
            logits = {task: self._blended(x, blend) for task, x in logits.items()}
        samples = self.data_preprocessor.cast_data(batch['data_samples'])
        available_BM = self.available(samples)
        available = dict(zip(self.experts, available_BM.T.tolist(), strict=True))
        features = {
            (name, layer): _by_clip(feature, available[name], layer)
            for (name, layer), feature in captured.items()
        }
        return self.fuse(logits, samples, available_BM)._replace(features=features)

    @torch.no_grad()
    def ask(self, batch: dict[str, Any]) -> ExpertAnswers:
        """Run the experts on a collated batch."""
        inputs = self.data_preprocessor.inputs(batch)
        with ExitStack() as stack:
            captured = {
                name: stack.enter_context(captured_features(self.experts[name].recognizer, layers))
                for name, layers in self._watched.items()
            }
            logits = self.run_experts(inputs)
        features = {
            (name, layer): feature_of(captured[name], layer, f'expert {name!r}').float()
            for name, layers in self._watched.items()
            for layer in layers
        }
        return ExpertAnswers(logits, features)

    @torch.no_grad()
    def run_experts(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Logits of preprocessed inputs: task -> (B, M, K)."""
        outputs = []
        for name, expert in self.experts.items():
            # Losses keep features for their backward pass: tensors of inference mode cannot be.
            with without_gradients(self.inference_mode and name not in self._watched):
                outputs.append(expert(inputs[name]))
        # Stacked outside of it, logits are tensors that a loss may keep.
        return {
            task: torch.stack([output[task].float() for output in outputs], dim=1)
            for task in self.num_classes
        }

    def forward(
        self, inputs: dict[str, Tensor], data_samples: OptSampleList = None, mode: str = 'tensor'
    ) -> SampleList | TeacherOutput:
        """MMEngine's entry: `mode='predict'` at test; a teacher has no loss."""
        if mode == 'loss':
            raise RuntimeError(
                'MultimodalTeacher is frozen and cannot be trained: train its experts '
                '(configs/unimodal) or a student (configs/distill).'
            )
        available_BM = self.available(data_samples)
        check_answered(available_BM, self.experts, data_samples)
        output = self.fuse(self.run_experts(inputs), data_samples, available_BM)
        if mode == 'tensor':
            return output
        for i, sample in enumerate(data_samples):
            scores = {task: logits[i] for task, logits in output.logits.items()}
            sample.set_field(scores[ACTION] if set(scores) == {ACTION} else scores, 'pred_score')
        return data_samples

    @property
    def class_names(self) -> dict[str, ClassNames]:
        """What each expert calls its classes, as far as its checkpoint says."""
        return {f'expert {name!r}': expert.class_names for name, expert in self.experts.items()}

    def _blended(self, logits_BMK: Tensor, blend: Blend) -> Tensor:
        experts = zip(self.experts.values(), logits_BMK.unbind(1), strict=True)
        columns = [x if blend.covers(e.modalities) else blend.draw.logits(x) for e, x in experts]
        return torch.stack(columns, dim=1)

    def available(self, data_samples: SampleList) -> Tensor:
        """(B, M) booleans: which expert has its modality for which clip."""
        there = [sample.metainfo.get('available', {}) for sample in data_samples]
        return torch.tensor([[x.can_answer(clip) for x in self.experts.values()] for clip in there])


def check_answered(
    available_BM: Tensor, experts: Mapping[str, Expert], data_samples: SampleList
) -> None:
    """Raise ValueError where no expert can say anything about a clip; names it."""
    for sample, answered in zip(data_samples, available_BM.any(dim=1).tolist(), strict=True):
        if not answered:
            raise ValueError(
                f'Clip {sample.metainfo.get("sample_id", "?")!r} has none of the modalities that '
                f'the experts {list(experts)} read: leave it out, or add an expert for what it has.'
            )


def _by_clip(feature: Tensor, available_B: list[bool], layer: str) -> list[Tensor]:
    """Views of a batch's feature, one per clip; an empty one for clips without the modality."""
    num_clips = len(available_B)
    if len(feature) % num_clips:
        raise ValueError(
            f'The layer {layer!r} of an expert gives a tensor of shape {tuple(feature.shape)} for '
            f'{num_clips} clips: its first axis must be a multiple; name a layer whose rows are '
            'clips, views or frames.'
        )
    clips = feature.unflatten(0, (num_clips, -1)).unbind()
    return [clip if there else clip[:0] for clip, there in zip(clips, available_B, strict=True)]


def _common_classes(experts: dict[str, Expert]) -> dict[str, int]:
    classes = {name: expert.num_classes for name, expert in experts.items()}
    first = next(iter(classes.values()))
    if any(other != first for other in classes.values()):
        raise ValueError(
            f'The experts must know the same classes, but their numbers of classes are {classes}; '
            'train them on the same annotation files.'
        )
    return first
