"""What a fusion model sees of one modality: the tokens of any recognizer's backbone.

Shape legend: B = clips, V = views, R = B * V, T = frames, L = tokens, C = channels.
"""

from typing import Any

import torch
import torch.nn.functional as F
from mmaction.models import Recognizer2D
from mmengine.logging import print_log
from torch import Tensor, nn

from ..config_tools import read_model
from ..registry import MODELS
from .detection_head import DetectionFeatureHead
from .expert import find_checkpoint, load_weights

EXTRACTOR_KEYS = {'config', 'model', 'checkpoint', 'cfg_options', 'frozen'}


class Extractor(nn.Module):
    """The backbone of a unimodal recognizer, whose features become tokens.

    Of a recognizer with a `DetectionFeatureHead`, the tokens are those of its encoder. The
    classifier is dropped.

    Args:
        name: Of the modality, for messages.
        num_tokens: L; features are averaged to so many, in the order of time.
        config: A config path, `mmdistill::…` or `mmaction::…`; or give `model`, a model config.
        model: See `config`.
        checkpoint: The recognizer's weights, where a training of the fusion model starts; its own
            checkpoint has them from then on. A pattern must match exactly one file. None starts
            from random weights.
        cfg_options: Overrides of the config.
        frozen: Whether it stays as it is: no gradients, always in evaluation.

    Raises:
        ValueError: There is both a config and a model, or neither.
    """

    def __init__(
        self,
        name: str,
        num_tokens: int,
        config: str | None = None,
        model: dict[str, Any] | None = None,
        checkpoint: str | None = None,
        cfg_options: dict[str, Any] | None = None,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        if (config is None) == (model is None):
            raise ValueError(f'The extractor of {name!r} needs either a config or a model.')
        built = MODELS.build(read_model(config, cfg_options) if config is not None else model)
        recognizer = getattr(built, 'recognizer', built)
        head = getattr(recognizer, 'cls_head', None)
        self.encoder = head.encoder if isinstance(head, DetectionFeatureHead) else None
        # Not as submodules: they are there to load the weights of the whole.
        self._dropped = [head, getattr(recognizer, 'neck', None)]
        recognizer.cls_head = recognizer.neck = None
        self.recognizer = recognizer
        self.name, self.num_tokens, self.frozen = name, num_tokens, frozen
        self.checkpoint, self.config = checkpoint, config
        if frozen:
            self.requires_grad_(False)
            self.train(False)

    def init_weights(self) -> None:
        """Load the checkpoint; without one, as its recognizer does.

        Raises:
            CheckpointError: The checkpoint is damaged, or does not fit the model.
        """
        owner = f'the extractor of {self.name!r}'
        if self.checkpoint is None:
            self.recognizer.init_weights()
            if self.frozen:
                print_log(f'{owner} is frozen without a checkpoint: it is untrained.', 'current')
            return
        path = find_checkpoint(self.checkpoint, owner, self.config)
        whole = self.recognizer
        whole.cls_head, whole.neck = self._dropped
        try:
            load_weights(whole, path, owner, self.config)
        finally:
            whole.cls_head = whole.neck = None

    def train(self, mode: bool = True) -> 'Extractor':
        """A frozen one ignores `mode`."""
        return super().train(mode and not self.frozen)

    def forward(self, inputs: Tensor) -> Tensor:
        """Tokens (R, L, C) of preprocessed inputs (B, V, …).

        Raises:
            ValueError: The backbone gives something that is no feature map.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            found, _ = self.recognizer.extract_feat(inputs, stage='backbone')
            if self.encoder is not None:
                found = self.encoder.tokens(found)
            # Of several maps, such as SlowFast's, each is averaged; then they are joined.
            maps = found if isinstance(found, (tuple, list)) else [found]
            parts = [pooled(self._sequence(x, len(inputs)), self.num_tokens) for x in maps]
            return torch.cat(parts, dim=-1)

    def _sequence(self, x: Tensor, num_clips: int) -> Tensor:
        """A feature map as a sequence (R, L', C)."""
        if not 2 <= x.ndim <= 5:
            raise ValueError(
                f'The backbone of the extractor of {self.name!r} gives a tensor of shape '
                f'{tuple(x.shape)}; expected (R, C), (R, L, C), or (R, C) and 2 or 3 more axes.'
            )
        if x.ndim >= 4:
            x = x.flatten(2).transpose(1, 2)
        x = x[:, None] if x.ndim == 2 else x
        if isinstance(self.recognizer, Recognizer2D):
            # Its rows are frames: those of a clip follow each other.
            x = x.reshape(num_clips, -1, x.shape[-1])
        return x


def pooled(x_RLC: Tensor, num_tokens: int) -> Tensor:
    """A sequence averaged to `num_tokens` of equal length, (R, num_tokens, C)."""
    if x_RLC.shape[1] == num_tokens:
        return x_RLC
    return F.adaptive_avg_pool1d(x_RLC.transpose(1, 2), num_tokens).transpose(1, 2)


def build_extractor(name: str, cfg: dict[str, Any], num_tokens: int) -> Extractor:
    """Build an extractor from its entry in a fusion model.

    Raises:
        ValueError: The entry has other keys.
    """
    unknown = sorted(cfg.keys() - EXTRACTOR_KEYS)
    if unknown:
        raise ValueError(
            f'The extractor of {name!r} has the keys {unknown}; it takes {sorted(EXTRACTOR_KEYS)}.'
        )
    return Extractor(name, num_tokens, **cfg)
