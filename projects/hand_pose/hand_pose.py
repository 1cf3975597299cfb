"""The modality `hand_pose`: where the keypoints of a hand are, at the sensor's own rate.

Shape legend: V = temporal clips, C = crops, T = samples of a clip, F = V * T, J = keypoints.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmdistill.modalities import Modality, positions_at_own_rate
from mmdistill.modalities.clip_times import times_of_clip
from mmdistill.ranges import ONE_OR_MORE, POSITIVE, ZERO_OR_MORE
from mmdistill.registry import MODALITIES
from mmdistill.video import FrameTimes

from .keypoint_track import read_track


@MODALITIES.register_module()
class HandPoseModality(Modality):
    """Keypoints of a hand, (T, J, 2) float32: x y as fractions of the crop, beyond it too.

    The sensor has a clock of its own: `clip_len` moments are spread over the time from the first
    to the last sampled frame of the video, and most of them fall between two frames.

    Args:
        keypoints: Their names: the columns `<name>_x` and `<name>_y` of the file.
        frame_size: Height and width of the video's frames, which fractions do not know: where this
            modality is loaded first, the geometry is drawn in them.
        fps: Frames per second of the videos. None takes each frame's own time stamp, of the
            record's `rgb` video, or where frames are images its `avg_fps`.
        max_gap: Seconds that may lie between a moment and the nearest sample.
        **kwargs: `source`, `clip_len` (T), `optional` of `Modality`.
    """

    def __init__(
        self,
        keypoints: Sequence[str],
        frame_size: tuple[int, int],
        fps: float | None = None,
        max_gap: float = 0.1,
        **kwargs,
    ) -> None:
        kwargs.setdefault('source', 'hand_pose')
        super().__init__(**kwargs)
        ONE_OR_MORE.check_pair(frame_size=frame_size)
        POSITIVE.check_optional(fps=fps)
        ZERO_OR_MORE.check(max_gap=max_gap)
        self.keypoints = tuple(keypoints)
        self.frame_size = tuple(frame_size)
        self.fps = fps
        self.max_gap = max_gap

    def frame_inds(self, frame_inds_VT: np.ndarray) -> np.ndarray:
        """Positions (V, T) between the video's frames: `clip_len` over the same span."""
        return positions_at_own_rate(frame_inds_VT, self.clip_len)

    def frame_shape(self, record: dict[str, Any], frames_F: np.ndarray) -> tuple[int, int]:
        """Height and width in which the geometry is drawn."""
        return self.frame_size

    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Keypoints (F, J, 2), as fractions of the frame, at fractional frames of the video."""
        track = read_track(self.path(record), self.keypoints)
        return track.at(self._times(record).at(frame_inds_F), self.max_gap)

    def move(
        self, frames_F: np.ndarray, crop_4: np.ndarray, flip: bool, size: tuple[int, int]
    ) -> np.ndarray:
        """Express keypoints as fractions of the crop, then mirror; `size` does not matter."""
        moved = (frames_F - crop_4[:2]) / (crop_4[2:] - crop_4[:2])
        if flip:
            moved[..., 0] = 1 - moved[..., 0]
        return moved.astype(np.float32)

    def pack(self, crops: list[np.ndarray], num_clips: int, clip_len: int) -> np.ndarray:
        """(C * V, T, J, 2)."""
        shape = (len(crops) * num_clips, clip_len, len(self.keypoints), 2)
        return np.concatenate(crops).reshape(shape)

    def missing(self, num_frames: int, size: tuple[int, int]) -> np.ndarray:
        """Zeros."""
        return np.zeros((num_frames, len(self.keypoints), 2), dtype=np.float32)

    def _times(self, record: dict[str, Any]) -> FrameTimes:
        times = times_of_clip(record, self.fps)
        if times is None:
            raise ValueError(
                f'Nobody knows how many frames per second the video of clip '
                f'{record["sample_id"]!r} has; set fps on HandPoseModality.'
            )
        return times
