"""When frames are shown: what relates sound, and whatever else is timed, to frame numbers.

Shape legend: F = frames of a video, P = positions that are asked for.
"""

import base64
import zlib
from dataclasses import dataclass

import numpy as np

TICKS_PER_SECOND = 1_000_000


@dataclass(frozen=True, eq=False)
class FrameTimes:
    """The times of a video's frames.

    Args:
        times_F: Seconds of each frame after the first one, increasing. Frames beyond them follow
            at the rate, so the first alone stands for a constant rate.
        frames_per_second: On average.
    """

    times_F: np.ndarray
    frames_per_second: float

    @classmethod
    def constant(cls, frames_per_second: float) -> 'FrameTimes':
        """Frame n is shown at n / `frames_per_second`."""
        return cls(np.zeros(1), frames_per_second)

    def at(self, positions_P: np.ndarray | float) -> np.ndarray:
        """Seconds of (fractional) frame numbers: between two frames in proportion."""
        inside_P = np.clip(positions_P, 0, len(self.times_F) - 1)
        times_P = np.interp(inside_P, np.arange(len(self.times_F)), self.times_F)
        return times_P + (positions_P - inside_P) / self.frames_per_second

    def to_text(self) -> str:
        """For a tag of a file: the time between frames in microseconds, compressed."""
        ticks_F = np.rint(self.times_F * TICKS_PER_SECOND).astype('<i8')
        steps = zlib.compress(np.diff(ticks_F, prepend=0).astype('<i8').tobytes(), 9)
        return base64.b64encode(steps).decode()

    @classmethod
    def from_text(cls, text: str, frames_per_second: float) -> 'FrameTimes':
        """What `to_text` wrote.

        Raises:
            ValueError: It is no such text.
        """
        try:
            steps_F = np.frombuffer(zlib.decompress(base64.b64decode(text, validate=True)), '<i8')
        except (ValueError, zlib.error) as error:
            raise ValueError(f'the times of the frames cannot be read ({error})') from error
        if not len(steps_F) or steps_F.min() < 0:
            raise ValueError('the times of the frames are not increasing')
        return cls(np.cumsum(steps_F) / TICKS_PER_SECOND, frames_per_second)
