"""One network that is trained on several modalities in turn, and tested on one."""

from typing import Any

from mmaction.utils import ForwardResults, OptSampleList
from mmengine.logging import MessageHub
from mmengine.model import BaseDataPreprocessor, BaseModel
from torch import Tensor, nn

from ..registry import MODELS
from .batch_inputs import availability
from .logits import num_classes_by_task, run_recognizer
from .student import as_bare_recognizer, from_bare_recognizer


class InTurn(BaseDataPreprocessor):
    """Give the network one modality of a batch through that modality's own preprocessor.

    Args:
        parts: Modality to preprocessor.
        tested: The modality of a test.
    """

    def __init__(self, parts: dict[str, nn.Module], tested: str) -> None:
        super().__init__(non_blocking=True)
        self.parts, self.tested = nn.ModuleDict(parts), tested

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Inputs become a tensor, of the clips that have the modality.

        Raises:
            KeyError: The batch lacks the modality.
            ValueError: No clip of the batch has it; in a test, a clip lacks it.
        """
        inputs, name = data['inputs'], self.tested
        if not isinstance(inputs, dict):
            return self.parts[name](data, training)
        if training:
            names = list(self.parts)
            name = names[MessageHub.get_current_instance().get_info('iter', 0) % len(names)]
        if name not in inputs:
            raise KeyError(
                f'It is the turn of {name!r}, but the batch has only {sorted(inputs)}; add it to '
                '`inputs` of LoadModalities.'
            )
        samples = data['data_samples']
        there = [clip[name] for clip in availability(samples, name)]
        if not (any(there) if training else all(there)):
            lacking = samples[there.index(False)].metainfo.get('sample_id', '?')
            raise ValueError(
                f'Clip {lacking!r} has no {name!r}, which is to be read: leave it out.'
            )
        chosen = [i for i, has in enumerate(there) if has]
        part = dict(
            inputs=[inputs[name][i] for i in chosen], data_samples=[samples[i] for i in chosen]
        )
        return self.parts[name](part, training)


@MODELS.register_module()
class OmnivorousRecognizer(BaseModel):
    """Train one recognizer on several modalities, a batch of each in turn; at test it reads one.

    The comparison of Radevski et al., ICCV 2023, after Girdhar et al., *Omnivore*, CVPR 2022: what
    does a network gain from other modalities without a teacher? The state dict is the
    recognizer's own, so a checkpoint loads strictly into the stock recognizer.

    Args:
        recognizer: Config of a recognizer, whose data_preprocessor is that of `tested`.
        modalities: Modality to the config of its data_preprocessor; None for the recognizer's own.
            All must have the network's number of channels (`channels=3` of a modality).
        tested: The modality that is read at test.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: `tested` is not among the modalities.
    """

    def __init__(
        self,
        recognizer: dict[str, Any],
        modalities: dict[str, dict[str, Any] | None],
        tested: str = 'rgb',
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        if tested not in modalities:
            raise ValueError(
                f'OmnivorousRecognizer is to be tested on {tested!r}, but is trained on '
                f'{sorted(modalities)}; set tested to one of them.'
            )
        model = MODELS.build(recognizer)
        own = model.data_preprocessor
        parts = {n: own if cfg is None else MODELS.build(cfg) for n, cfg in modalities.items()}
        super().__init__(data_preprocessor=InTurn(parts, tested), init_cfg=init_cfg)
        self.recognizer = model
        self._register_state_dict_hook(as_bare_recognizer)
        self._register_load_state_dict_pre_hook(from_bare_recognizer, with_module=True)

    @property
    def num_classes(self) -> dict[str, int]:
        """Number of classes of each task."""
        return num_classes_by_task(self.recognizer)

    def forward(
        self,
        inputs: Tensor,
        data_samples: OptSampleList = None,
        mode: str = 'tensor',
        **kwargs: Any,
    ) -> ForwardResults:
        """As the recognizer's."""
        return run_recognizer(self.recognizer, inputs, data_samples, mode, **kwargs)
