"""A recognizer of several modalities that still works when some are missing.

Shape legend: B = clips, V = views, R = B * V, M = modalities, L = tokens, C = channels.
"""

import warnings
from collections.abc import Mapping
from itertools import compress
from typing import Any, cast

import torch
from mmaction.models import BaseRecognizer
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn

from ..registry import MODELS
from .extractor import Extractor, build_extractor
from .token_fusion import TokenFusion

PRESENT = 'present'  # beside the modalities in a batch's inputs: (B, M) bool
MOST_MODALITIES = 12  # of which every subset has a place in the table of those that were seen


class FusionDataPreprocessor(BaseDataPreprocessor):
    """Let each extractor's own preprocessor have its modality, and note which clips have it.

    Args:
        parts: Modality to the preprocessor of its extractor.

    Raises:
        ValueError: One of them blends clips, which the others would not.
    """

    def __init__(self, parts: Mapping[str, nn.Module]) -> None:
        super().__init__(non_blocking=True)
        blending = [name for name, part in parts.items() if getattr(part, 'blending', None)]
        if blending:
            raise ValueError(
                f'The data_preprocessor of {blending[0]!r} blends clips (mixup or CutMix), those '
                'of the other modalities would not: remove its blending.'
            )
        self.parts = nn.ModuleDict(parts)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Inputs become a dict from modality to tensor (B, V, …), and `present` (B, M) bool.

        Raises:
            KeyError: The batch lacks a modality.
            ValueError: A clip has none of them.
        """
        inputs = data['inputs']
        absent = [name for name in self.parts if not isinstance(inputs, dict) or name not in inputs]
        if absent:
            found = sorted(inputs) if isinstance(inputs, dict) else 'a single modality'
            raise KeyError(
                f'The fusion model reads {list(self.parts)}, but the batch has {found}; add '
                f'{absent} to `inputs` of LoadModalities (optional=True where clips may lack it).'
            )
        samples = data['data_samples']
        present_BM = self._present(data.get('available'), samples, inputs)
        ready = {
            name: part(dict(inputs=inputs[name], data_samples=None), training)['inputs']
            for name, part in self.parts.items()
        }
        ready[PRESENT] = present_BM.to(next(iter(ready.values())).device, non_blocking=True)
        return dict(inputs=ready, data_samples=self.cast_data(samples))

    def _present(self, available: Any, samples: Any, inputs: dict[str, Any]) -> Tensor:
        # A student has looked already, and a teacher does not count an expert that has nothing.
        alone = available is None
        if alone:
            available = [sample.metainfo.get('available', {}) for sample in samples or ()]
        if not available:
            return torch.ones(len(next(iter(inputs.values()))), len(self.parts), dtype=torch.bool)
        present_BM = torch.tensor(
            [[clip.get(name, True) for name in self.parts] for clip in available]
        )
        for sample, there in zip(samples or (), present_BM.any(dim=1).tolist(), strict=False):
            if alone and not there:
                raise ValueError(
                    f'Clip {sample.metainfo.get("sample_id", "?")!r} has none of the modalities '
                    f'{list(self.parts)} that the fusion model reads: leave it out, or drop less.'
                )
        return present_BM


@MODELS.register_module()
class FusionRecognizer(BaseRecognizer):
    """Extractors, a transformer over their tokens, and a head: any subset of modalities will do.

    An ordinary recognizer: a student (`StudentRecognizer` with `modality=dict(<name>=<key>, …)`),
    an expert of a teacher, or a baseline trained by itself. KARMMA, arXiv 2504.08578.

    Args:
        extractors: Modality to `dict(config=… or model=…, checkpoint=…, frozen=…)`; see
            `Extractor`. The names are the keys of its inputs.
        fusion: Arguments of `TokenFusion`.
        cls_head: A `FusionHead`.
        train_cfg: As upstream.
        test_cfg: As upstream.

    Raises:
        ValueError: There are other extractors than the fusion expects.
    """

    takes_missing = True
    # What `seen` holds, as far as it was read since training.
    _known: set[int] | None = None

    def __init__(
        self,
        extractors: dict[str, dict[str, Any]],
        fusion: dict[str, Any],
        cls_head: dict[str, Any],
        train_cfg: dict[str, Any] | None = None,
        test_cfg: dict[str, Any] | None = None,
    ) -> None:
        mixer = TokenFusion(**fusion)
        if list(extractors) != list(mixer.in_channels):
            raise ValueError(
                f'There are extractors for {list(extractors)}, but in_channels of the fusion for '
                f'{list(mixer.in_channels)}; name the same modalities in the same order.'
            )
        if len(extractors) > MOST_MODALITIES:
            raise ValueError(f'A fusion model takes up to {MOST_MODALITIES} modalities.')
        built = {
            name: build_extractor(name, cfg, mixer.num_tokens[name])
            for name, cfg in extractors.items()
        }
        parts = {name: x.recognizer.data_preprocessor for name, x in built.items()}
        for extractor in built.values():
            # It belongs to the preprocessor of the whole; a module has one place.
            extractor.recognizer.data_preprocessor = None
        # The base class would build one backbone from a config; there are several, built already.
        super().__init__(backbone=dict(type=nn.Identity), cls_head=cls_head)
        self.backbone = nn.ModuleDict(built)
        self.data_preprocessor = FusionDataPreprocessor(parts)
        self.fusion = mixer
        self.train_cfg, self.test_cfg = train_cfg, test_cfg
        # Which subsets it has been trained on, by bits: the first modality is bit 0.
        self.register_buffer('seen', torch.zeros(2 ** len(built), dtype=torch.bool))
        self._warned: set[int] = set()

    def init_weights(self) -> None:
        """Upstream's for the head, and for the extractors that have no checkpoint."""
        super().init_weights()
        for extractor in self.backbone.children():
            cast(Extractor, extractor).init_weights()

    @property
    def modalities(self) -> list[str]:
        """Their names, in the order of `present`."""
        return list(self.fusion.in_channels)

    def tokens(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Run the extractors: modality to tokens (R, L, C)."""
        return {name: extractor(inputs[name]) for name, extractor in self.backbone.items()}

    def fuse(self, tokens: dict[str, Tensor], present_BM: Tensor) -> tuple[Tensor, Tensor]:
        """What the head reads: streams (R, 1 + M, D) and which modalities are present (R, M).

        Raises:
            ValueError: The modalities have different numbers of views.
        """
        rows = {name: len(x) for name, x in tokens.items()}
        num_rows = next(iter(rows.values()))
        if len(set(rows.values())) > 1 or num_rows % len(present_BM):
            raise ValueError(
                f'The modalities give {rows} views for {len(present_BM)} clips: all need the same '
                'number; give them the same clip_len and num_clips, or 3D extractors.'
            )
        present_RM = present_BM.repeat_interleave(num_rows // len(present_BM), dim=0)
        return self.fusion(tokens, present_RM), present_RM

    def extract_feat(
        self,
        inputs: dict[str, Tensor],
        stage: str = 'neck',
        data_samples: Any = None,
        **kwargs: Any,
    ) -> tuple[Any, dict[str, Any]]:
        """As MMAction2's: features for the head, and no arguments for it.

        Args:
            inputs: Modality to tensor, and `present`; without it all are.
            stage: 'head' for logits.
            data_samples: Not looked at.
            kwargs: Upstream's `test_mode`; views are rows in both modes.
        """
        first = inputs[self.modalities[0]]
        every = torch.ones(len(first), len(self.modalities), dtype=torch.bool, device=first.device)
        present_BM = inputs.get(PRESENT, every)
        self._note(present_BM)
        found = self.fuse(self.tokens(inputs), present_BM)
        return (self.cls_head(found), {}) if stage == 'head' else (found, {})

    def _note(self, present_BM: Tensor) -> None:
        """Remember the subsets of a training batch; in evaluation, warn of those never seen."""
        bits = 2 ** torch.arange(present_BM.shape[1], device=present_BM.device)
        subsets_B = (present_BM * bits).sum(dim=1)
        if self.training:
            self.seen[subsets_B] = True
            return
        known = self._seen_here()
        for subset in set(subsets_B.tolist()) - known - self._warned if known else ():
            self._warned.add(subset)
            names = compress(self.modalities, [subset >> k & 1 for k in range(len(bits))])
            warnings.warn(
                f'The model was never trained on clips with {" + ".join(names)} alone: expect '
                'little of it there, or train it with ModalityDropout.',
                stacklevel=2,
            )

    def _seen_here(self) -> set[int]:
        """The subsets that were seen; read from the device once per evaluation."""
        if self._known is None:
            self._known = set(self.seen.nonzero().flatten().tolist())
        return self._known

    def train(self, mode: bool = True) -> 'FusionRecognizer':
        """Forget what was read of `seen`, which training changes."""
        self._known = None
        return super().train(mode)
