"""An expert: one frozen unimodal recognizer of the teacher, built from any MMAction2 config."""

from typing import Any

from mmengine.logging import print_log
from torch import Tensor, nn

from ..checkpoints import CheckpointError, load_strictly, read_checkpoint, weights_of
from ..config_tools import read_model
from ..files import find_file
from ..registry import MODELS
from .batch_inputs import Reads, availability, batch_keys, inputs_of, num_clips
from .class_names import ClassNames, class_names_of
from .frozen_run import check_precision, compile_recognizer, own_precision
from .logits import num_classes_by_task, recognizer_logits

EXPERT_KEYS = {
    'config',
    'model',
    'checkpoint',
    'modality',
    'cfg_options',
    'autocast',
    'compile',
}


class Expert(nn.Module):
    """A recognizer that never trains, and the modality that it reads.

    Args:
        name: The expert's name in logs and errors.
        config: A config path, or `mmaction::…`; or give `model`, an inline model config.
        model: See `config`.
        checkpoint: Path of the weights; a pattern must match exactly one file. None
            says explicitly that the expert stays untrained (for tests and dry runs).
        modality: The batch key that the expert reads; default: its name. For a multimodal
            recognizer such as RGBPoseConv3D: the name of each of its inputs to a batch key.
        cfg_options: Overrides of the config, as on the command line.
        autocast: See `MultimodalTeacher`.
        compile: See `MultimodalTeacher`.

    Raises:
        FileNotFoundError: The checkpoint is missing.
        CheckpointError: The checkpoint is damaged, or does not fit the model.
    """

    def __init__(
        self,
        name: str,
        checkpoint: str | None,
        config: str | None = None,
        model: dict[str, Any] | None = None,
        modality: Reads | None = None,
        cfg_options: dict[str, Any] | None = None,
        autocast: str | None = None,
        compile: bool | dict[str, Any] = False,
    ) -> None:
        super().__init__()
        if (config is None) == (model is None):
            raise ValueError(f'Expert {name!r} needs either a config or a model, one of the two.')
        self.name = name
        self.modality = modality or name
        self.precision = check_precision(autocast, f'Expert {name!r}')
        model_cfg = model if model is not None else read_model(config, cfg_options)
        built = MODELS.build(model_cfg)
        # A distilled student may serve as an expert: what counts is the recognizer inside.
        self.recognizer = getattr(built, 'recognizer', built)
        _take_batches(self.recognizer)
        # As far as the checkpoint says.
        self.class_names: ClassNames = {}
        if checkpoint is None:
            print_log(f'Expert {name!r} has no checkpoint: it is untrained.', 'current')
        else:
            path = find_checkpoint(checkpoint, f'expert {name!r}', config)
            meta = load_weights(self.recognizer, path, f'expert {name!r}', config)
            self.class_names = class_names_of(meta.get('dataset_meta'))
        self.requires_grad_(False)
        self.train(False)
        self.compiled = compile_recognizer(self.recognizer, compile)

    @classmethod
    def of(cls, name: str, recognizer: nn.Module, modality: Reads) -> 'Expert':
        """An expert that is this recognizer itself, frozen."""
        expert = cls.__new__(cls)
        nn.Module.__init__(expert)
        expert.name, expert.modality, expert.precision = name, modality, None
        expert.recognizer, expert.class_names, expert.compiled = recognizer, {}, False
        _take_batches(recognizer)
        expert.requires_grad_(False)
        expert.train(False)
        return expert

    @property
    def num_classes(self) -> dict[str, int]:
        """Number of classes of each task."""
        return num_classes_by_task(self.recognizer)

    @property
    def modalities(self) -> list[str]:
        """The batch keys that the expert reads."""
        return batch_keys(self.modality)

    @property
    def takes_missing(self) -> bool:
        """Whether one of its modalities is enough, as for a fusion model."""
        return getattr(self.recognizer, 'takes_missing', False)

    def can_answer(self, available: dict[str, bool]) -> bool:
        """Whether it can say something about a clip, given which batch keys the clip has."""
        enough = any if self.takes_missing else all
        return enough(available.get(key, True) for key in self.modalities)

    def train(self, mode: bool = True) -> 'Expert':
        """Ignore `mode`: dropout and batch statistics of an expert never move."""
        return super().train(False)

    def preprocess(self, batch: dict[str, Any]) -> Tensor | dict[str, Tensor]:
        """The expert's own modality of a collated batch, on its device and normalised."""
        advice = ', or remove the expert from the teacher'
        inputs = inputs_of(batch['inputs'], self.modality, f'Expert {self.name!r}', advice)
        samples = batch['data_samples']
        data = dict(inputs=inputs, data_samples=samples)
        if self.takes_missing:
            data['available'] = availability(samples, self.modality)
        return self.recognizer.data_preprocessor(data, False)['inputs']

    def forward(self, inputs: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
        """Logits of preprocessed inputs: task -> (B, K), averaged over views."""
        device = next(self.recognizer.parameters()).device
        with own_precision(device, self.precision):
            return recognizer_logits(self.recognizer, inputs, num_clips(inputs))


def build_expert(name: str, cfg: dict[str, Any]) -> Expert:
    """Build an expert from its entry in the teacher's config."""
    unknown = sorted(cfg.keys() - EXPERT_KEYS)
    if unknown or 'checkpoint' not in cfg:
        raise ValueError(
            f'Expert {name!r} has the keys {sorted(cfg)}; it takes {sorted(EXPERT_KEYS)}, and '
            'checkpoint is required.'
        )
    return Expert(name, **cfg)


def find_checkpoint(pattern: str, owner: str, config: str | None) -> str:
    """The one file that matches `pattern`."""
    advice = (
        f'train it with `mmdistill train {config or "<its config>"}`, or set expert_dir or '
        'the checkpoint to where it is'
    )
    return find_file(pattern, f'checkpoint of {owner}', advice)


def _take_batches(recognizer: nn.Module) -> None:
    """Forget `max_testing_views`: with it a recognizer takes one clip at a time, not a batch."""
    test_cfg = getattr(recognizer, 'test_cfg', None)
    if test_cfg and 'max_testing_views' in test_cfg:
        recognizer.test_cfg = {k: v for k, v in test_cfg.items() if k != 'max_testing_views'}


def load_weights(
    recognizer: nn.Module, path: str, owner: str, config: str | None
) -> dict[str, Any]:
    """Load a checkpoint strictly into a recognizer; returns the checkpoint's `meta`.

    Args:
        owner: Whose it is, for messages: "expert 'rgb'".
        config: Its config, for messages.

    Raises:
        CheckpointError: It is damaged, or of another model.
    """
    expert = owner + (f' ({config})' if config else '')
    try:
        checkpoint = read_checkpoint(path)
        weights_of(checkpoint, path)
    except CheckpointError as error:
        raise CheckpointError(f'The checkpoint of {expert}: {error}') from error
    load_strictly(
        recognizer,
        checkpoint,
        path,
        f'the model of {expert}',
        'Give the checkpoint that was trained with its config and the same cfg_options.',
    )
    meta = checkpoint.get('meta')
    return meta if isinstance(meta, dict) else {}
