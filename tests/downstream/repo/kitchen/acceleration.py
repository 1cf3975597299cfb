"""The acceleration of a wrist, one row of three numbers per video frame, and its encoder."""

from functools import lru_cache

import numpy as np
from torch import Tensor, nn

from mmdistill.modalities import Modality
from mmdistill.registry import MODALITIES, MODELS


@MODALITIES.register_module()
class AccelerationModality(Modality):
    """Acceleration in m/s², (T, 3) float32: `<video>.csv` without a header."""

    def __init__(self, **kwargs) -> None:
        kwargs.setdefault('source', 'acceleration')
        super().__init__(**kwargs)

    def frame_shape(self, record: dict, frames_F: np.ndarray) -> tuple[int, int]:
        """It has no picture: geometry that is drawn in it leaves it as it is."""
        return 64, 64

    def read(self, record: dict, frame_inds_F: np.ndarray) -> np.ndarray:
        """The rows of the frames."""
        return read_rows(self.path(record))[frame_inds_F]

    def move(self, frames_F, crop_4, flip, size) -> np.ndarray:
        """Mirrored like the picture: x points to the other side."""
        return frames_F * np.float32([-1, 1, 1]) if flip else frames_F

    def pack(self, crops: list[np.ndarray], num_clips: int, clip_len: int) -> np.ndarray:
        """(C * V, T, 3)."""
        return np.concatenate(crops).reshape(len(crops) * num_clips, clip_len, 3)

    def missing(self, num_frames: int, size: tuple[int, int]) -> np.ndarray:
        """Zeros."""
        return np.zeros((num_frames, 3), np.float32)


@lru_cache(maxsize=16)
def read_rows(path) -> np.ndarray:
    """The file of a video, (frames, 3)."""
    return np.loadtxt(path, delimiter=',', dtype=np.float32, ndmin=2)


@MODELS.register_module()
class AccelerationEncoder(nn.Module):
    """The backbone of the expert: (B, T, 3) to (B, width, 1, 1, 1)."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(3, width, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool1d(1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features of the clip."""
        return self.layers(x.float().transpose(1, 2))[..., None, None]
