"""Backbones that give `DetectionFeatureHead` its detections: from files, or live from frames.

Neither holds a weight, so a recognizer trained on extracted files loads strictly into its live
twin, and its checkpoint carries no detector. Shape legend: B = clips, V = views, T = frames,
N = boxes kept of a frame, F = 6 + size of the ROI feature.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ..registry import MODELS

if TYPE_CHECKING:
    from .detector import FrameDetections

BOX_COLUMNS = 6


@MODELS.register_module()
class DetectionInputs(nn.Module):
    """Pass detections that were read from a file on to the head."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (B * V, T, N, F) detections unchanged.

        Raises:
            ValueError: The input is no batch of detections.
        """
        if x.ndim != 4 or x.shape[-1] < BOX_COLUMNS:
            raise ValueError(
                f'Expected detections of shape (views, T, N, 6 or more), got {tuple(x.shape)}; '
                'the pipeline must pack the modality obj, or use mmdistill.DetectorBackbone.'
            )
        return x


@MODELS.register_module()
class DetectorBackbone(nn.Module):
    """Run a frozen mmdet detector on RGB frames and hand its detections on.

    The detector stays outside of the module tree: no parent can wake, train, save or re-initialise
    it, its weights come from `checkpoint` alone, and it follows its input's device.
    The recognizer's data preprocessor must leave pixels as they are, 0 to 255 in RGB:
    `dict(type='ActionDataPreprocessor', format_shape='NCTHW')` without mean and std. For the same
    detections as in the files, frames must also come at their full size and uncropped.

    Args:
        config: See `FrameDetector`.
        checkpoint: See `FrameDetector`.
        score_thr: Boxes below are dropped; the extraction's, for equal results.
        max_boxes: N; shorter frames are padded with score 0 and label -1.
        roi_features: Append the ROI feature of every box.
        batch_size: Frames that pass through the detector at once.
    """

    def __init__(
        self,
        config: str | Path | dict[str, Any],
        checkpoint: str | Path | None,
        score_thr: float = 0.05,
        max_boxes: int = 10,
        roi_features: bool = False,
        batch_size: int = 16,
    ) -> None:
        super().__init__()
        # It needs MMDetection and compiled operators, which nothing else here does.
        from . import FrameDetector

        self.detector = FrameDetector(
            config, checkpoint, score_thr, max_boxes, roi_features, batch_size
        )

    def forward(self, x: Tensor) -> Tensor:
        """Detect in frames (B * V, 3, T, H, W), uint8 or float; returns (B * V, T, N, F) float32.

        Raises:
            ValueError: The frames are not whole RGB values from 0 to 255.
        """
        _check_frames(x)
        views, _, num_frames, height, width = x.shape
        frames = x.permute(0, 2, 3, 4, 1).flatten(0, 1).round().to(torch.uint8)
        found = self.detector.to(x.device).detect(frames)
        rows = [pack_detections(one, (height, width), self.detector.max_boxes) for one in found]
        packed = torch.from_numpy(np.stack(rows)).to(x.device)
        return packed.unflatten(0, (views, num_frames))


def pack_detections(
    found: 'FrameDetections', frame_shape: tuple[int, int], max_boxes: int
) -> np.ndarray:
    """One frame as `DetectionFile.read` gives it: (N, F) float32, boxes in fractions of the frame.

    Args:
        found: Detections by falling score.
        frame_shape: Height and width in pixels.
        max_boxes: N; the worst boxes beyond are cut, missing rows get score 0 and label -1.
    """
    height, width = frame_shape
    scale = np.array([width, height, width, height], dtype=np.float32)
    columns = [found.boxes_N4 / scale, found.scores_N[:, None], found.labels_N[:, None]]
    if found.features_ND is not None:
        columns.append(found.features_ND)
    table = np.concatenate(columns, axis=1, dtype=np.float32)[:max_boxes]
    packed = np.zeros((max_boxes, table.shape[1]), dtype=np.float32)
    packed[:, 5] = -1
    packed[: len(table)] = table
    return packed


def _check_frames(x: Tensor) -> None:
    if x.ndim != 5 or x.shape[1] != 3:
        raise ValueError(
            f'Expected RGB frames of shape (views, 3, T, H, W), got {tuple(x.shape)}; '
            "use FormatShape(input_format='NCTHW')."
        )
    if x.dtype == torch.uint8:
        return
    low, high = x.min().item(), x.max().item()
    # Whole numbers tell pixels from frames that were normalised or scaled to [0, 1].
    if low < 0 or high > 255 or not torch.equal(x, x.round()):
        raise ValueError(
            f'Expected pixels as whole numbers from 0 to 255, got values from {low:.3g} to '
            f'{high:.3g}; take mean and std out of the data preprocessor, the detector has its own.'
        )
