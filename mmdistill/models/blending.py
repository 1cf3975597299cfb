"""Mixup and CutMix drawn once per batch, for the student's clips, the labels and the teacher.

MMAction2 blends inside the data preprocessor of the model that trains, so a teacher would be asked
about clips that the student never sees. Here the same draw moves every modality.

Shape legend: B = clips in the batch, M = experts, K = classes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmaction.models import CutmixBlending, MixupBlending, RandomBatchAugment
from mmaction.models.utils.blending_utils import BaseMiniBatchBlending
from mmengine.model import BaseDataPreprocessor, stack_batch
from torch import Tensor

from ..labels import blend_labels
from .batch_inputs import Reads, batch_keys, inputs_of


@dataclass(frozen=True)
class BlendDraw:
    """What was drawn for a batch: each clip keeps `share` of itself, its partner gives the rest.

    Attributes:
        partner_B: Which clip is blended into which.
        share: lambda, in [0, 1].
        box: x1 y1 x2 y2 of the partner's rectangle as fractions of the frame (CutMix); None where
            all pixels are mixed (mixup).
    """

    partner_B: Tensor
    share: float
    box: tuple[float, float, float, float] | None = None

    def frames(self, clips: list[Tensor] | Tensor) -> list[Tensor]:
        """Blend clips (…, H, W), padded to one size where they differ; a list of B, float32."""
        stacked = (stack_batch(clips) if isinstance(clips, list) else clips).float()
        partner = stacked[self.partner_B.to(stacked.device)]
        if self.box is None:
            return list(self.mix(stacked, partner).unbind())
        height, width = stacked.shape[-2:]
        x1, y1, x2, y2 = self.box
        rows = slice(round(y1 * height), round(y2 * height))
        columns = slice(round(x1 * width), round(x2 * width))
        blended = stacked.clone()
        blended[..., rows, columns] = partner[..., rows, columns]
        return list(blended.unbind())

    def mix(self, own: Tensor, partner: Tensor) -> Tensor:
        """share * own + (1 - share) * partner."""
        return self.share * own + (1 - self.share) * partner

    def logits(self, logits_BK: Tensor) -> Tensor:
        """Logits of unblended clips as logits of the blended ones: probabilities mix as labels."""
        own_BK = logits_BK.float().log_softmax(-1)
        partner_BK = own_BK[self.partner_B.to(logits_BK.device)]
        log_share, log_rest = own_BK.new_tensor([self.share, 1 - self.share]).log()
        return torch.logaddexp(own_BK + log_share, partner_BK + log_rest)


@dataclass(frozen=True)
class Blend:
    """A draw, and the batch keys whose clips it has blended; None in a unimodal batch: all."""

    draw: BlendDraw
    keys: frozenset[str] | None

    def covers(self, modalities: list[str]) -> bool:
        """Whether what a model reads is blended."""
        return self.keys is None or self.keys.issuperset(modalities)


def take_blending(preprocessor: BaseDataPreprocessor) -> BaseMiniBatchBlending | None:
    """Switch a preprocessor's own blending off and return it; None if it has none.

    Raises:
        ValueError: Several of its parts blend, each by itself.
    """
    parts = [part for part in preprocessor.modules() if getattr(part, 'blending', None)]
    if len(parts) > 1:
        raise ValueError(
            'Several parts of the data preprocessor have a blending, which would blend the labels '
            'more than once; keep one: its draw serves every input.'
        )
    blending = parts[0].blending if parts else None
    for part in parts:
        part.blending = None
    return blending


def draw_blend(
    blending: BaseMiniBatchBlending, num_clips: int, size: tuple[int, int]
) -> BlendDraw | None:
    """Draw as MMAction2 does, number for number; None where a random choice leaves the batch.

    Args:
        blending: MixupBlending, CutmixBlending, or RandomBatchAugment over them.
        num_clips: B.
        size: Height and width in pixels, on whose grid the box lies.

    Raises:
        TypeError: Any other kind: how it blends is not known.
    """
    if isinstance(blending, RandomBatchAugment):
        chosen = blending.augments[np.random.choice(len(blending.augments), p=blending.probs)]
        return chosen and draw_blend(chosen, num_clips, size)
    if isinstance(blending, MixupBlending):
        share = float(blending.beta.sample())
        return BlendDraw(torch.randperm(num_clips), share)
    if isinstance(blending, CutmixBlending):
        partner_B = torch.randperm(num_clips)
        bounds = blending.rand_bbox(torch.Size(size), blending.beta.sample())
        x1, y1, x2, y2 = (int(bound) for bound in bounds)
        height, width = size
        share = 1 - (x2 - x1) * (y2 - y1) / (height * width)
        return BlendDraw(partner_B, share, (x1 / width, y1 / height, x2 / width, y2 / height))
    raise TypeError(
        f'{type(blending).__name__} cannot be drawn once for student and teacher: use '
        'MixupBlending, CutmixBlending or RandomBatchAugment over them.'
    )


def blend_batch(
    blending: BaseMiniBatchBlending,
    batch: dict[str, Any],
    reads: Reads,
    num_classes: dict[str, int],
) -> Blend | None:
    """Blend the clips and labels of a collated batch, in place.

    Frames (uint8) and whatever the student reads are blended as pixels. Of other modalities (boxes,
    keypoints, audio) a blend means nothing: they stay, and `Blend` says so.

    Args:
        blending: See `draw_blend`.
        batch: `inputs` and `data_samples`.
        reads: What the student reads.
        num_classes: Task to K, of the student's head.

    Returns:
        What was drawn, or None if nothing was blended.

    Raises:
        KeyError: The batch lacks what the student reads.
    """
    inputs, samples = batch['inputs'], batch['data_samples']
    multimodal = isinstance(inputs, dict)
    own = inputs_of(inputs, reads, 'The student')
    reference = next(iter(own.values())) if isinstance(own, dict) else own
    draw = draw_blend(blending, len(samples), tuple(reference[0].shape[-2:]))
    if draw is None:
        return None
    blend_labels(samples, draw.partner_B.tolist(), draw.share, num_classes)
    if not multimodal:
        batch['inputs'] = draw.frames(inputs)
        return Blend(draw, None)
    frames = {key for key, clips in inputs.items() if clips[0].dtype == torch.uint8}
    keys = frozenset(frames.union(batch_keys(reads)))
    batch['inputs'] = {k: draw.frames(x) if k in keys else x for k, x in inputs.items()}
    return Blend(draw, keys)
