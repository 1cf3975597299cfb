"""Keypoints over time, as a sensor writes them: one CSV per video.

Shape legend: S = samples in the file, T = moments asked for, J = keypoints.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

TIME = 'time_seconds'


@dataclass(frozen=True)
class KeypointTrack:
    """The samples of a video: `seconds_S` from its first frame on, and x y, fractions of it."""

    path: Path
    seconds_S: np.ndarray
    points_SJ2: np.ndarray

    def at(self, seconds_T: np.ndarray, max_gap: float) -> np.ndarray:
        """Keypoints (T, J, 2) float32 at any moments, interpolated between the samples.

        Args:
            max_gap: A moment may be this many seconds away from the nearest sample.

        Raises:
            ValueError: There is a moment that the sensor did not see.
        """
        right = np.searchsorted(self.seconds_S, seconds_T).clip(1, len(self.seconds_S) - 1)
        near = np.abs(self.seconds_S[[right - 1, right]] - seconds_T).min(axis=0)
        if near.max() > max_gap:
            raise ValueError(
                f'{self.path} has no sample within {max_gap} s of second '
                f'{seconds_T[near.argmax()]:.2f} of the video; it covers {self.seconds_S[0]:.2f} '
                f'to {self.seconds_S[-1]:.2f} s. Is it the file of another video, or is the frame '
                'rate not the video’s? A larger max_gap bridges gaps of the sensor.'
            )
        flat = self.points_SJ2.reshape(len(self.points_SJ2), -1)
        columns = [np.interp(seconds_T, self.seconds_S, column) for column in flat.T]
        return np.stack(columns, axis=-1, dtype=np.float32).reshape(len(seconds_T), -1, 2)


@lru_cache(maxsize=64)  # the clips of a video share its file
def read_track(path: Path, keypoints: tuple[str, ...]) -> KeypointTrack:
    """Read the columns `time_seconds`, `<keypoint>_x` and `<keypoint>_y`; others are left alone.

    Raises:
        ValueError: Columns are missing, a field is no number, or time does not increase.
    """
    columns = [TIME, *(f'{name}_{axis}' for name in keypoints for axis in 'xy')]
    with path.open(encoding='utf-8-sig') as file:
        header = file.readline().strip().split(',')
        missing = [name for name in columns if name not in header]
        if missing:
            raise ValueError(
                f'{path} lacks the columns {missing}: expected {columns}, found {header}. '
                'Name the keypoints of your sensor in `keypoints` of the modality.'
            )
        where = [header.index(name) for name in columns]
        try:
            rows = np.loadtxt(file, delimiter=',', usecols=where, ndmin=2)
        except ValueError as error:
            raise ValueError(f'{path}, below its header: {error}.') from error
    if len(rows) < 2 or not np.isfinite(rows).all() or (np.diff(rows[:, 0]) <= 0).any():
        raise ValueError(
            f'{path} must hold at least two samples, all of them numbers, at increasing times; '
            f'found {len(rows)}. Leave out samples in which the sensor lost the hand.'
        )
    return KeypointTrack(path, rows[:, 0], rows[:, 1:].reshape(len(rows), -1, 2))
