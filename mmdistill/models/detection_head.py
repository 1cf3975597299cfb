"""Classify a clip from the detections of its frames."""

from typing import Any

from torch import Tensor

from ..registry import MODELS
from .detection_encoder import DetectionEncoder
from .multitask_head import MultitaskHead


@MODELS.register_module()
class DetectionFeatureHead(MultitaskHead):
    """Encode detections with STLT and classify the result, one MMAction2 head per task.

    The `cls_head` of a stock `Recognizer3D` whose backbone is `mmdistill.DetectionInputs`
    (detections from files) or `mmdistill.DetectorBackbone` (frames through a live detector).
    A task head sees (B * V, D, 1, 1, 1) features, so that `I3DHead(in_channels=D)` fits.

    Args:
        encoder: Arguments of `DetectionEncoder`, at least `num_categories`.
        heads: Task name to the config of an MMAction2 head; a single label is the task `action`.
        average_clips: See `MultitaskHead`.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: A head expects another number of channels than the encoder gives.
    """

    def __init__(
        self,
        encoder: dict[str, Any],
        heads: dict[str, dict[str, Any]],
        average_clips: str | None = 'score',
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(heads, average_clips=average_clips, init_cfg=init_cfg)
        self.encoder = DetectionEncoder(**encoder)
        for task, head in self.heads.items():
            if head.in_channels != self.encoder.embed_dims:
                raise ValueError(
                    f'The head of task {task!r} expects {head.in_channels} channels, but the '
                    f'encoder gives {self.encoder.embed_dims}; set in_channels to embed_dims.'
                )

    def forward(self, x: Tensor, **kwargs: Any) -> dict[str, Tensor]:
        """Classify detections (B * V, T, N, 6 + D); returns task -> logits (B * V, K)."""
        features = self.encoder(x)
        return super().forward(features[..., None, None, None], **kwargs)
