"""The exact index of a video: which picture is the n-th that is shown, and when.

Header arithmetic (time x average rate, number of frames) is wrong for many real files.

Shape legend: F = pictures that are shown, K = key frames.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from .frame_times import FrameTimes
from .orientation import Turn


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """What is shown in the default stream of a video file.

    Args:
        stamps_F: By which a decoded picture is known: see `known_by`.
        known_by: 'pts' or 'dts', the packet's; or 'order', how many pictures came before.
        ticks_F: When each picture is shown, in units of `tick` seconds; increasing.
        end: When the last one has been shown, in the same units.
        keys_K: The first picture that can be decoded from each key frame; increasing.
        key_stamps_K: The key frames' own stamps.
        seeks_K: The time stamps to seek to for them.
        tick: Seconds.
        width: Pixels of the stored picture.
        height: Likewise.
        turn: From the stored picture to the upright one.
        codec: Its common name.
        num_streams: Video streams that the file holds; the default one is read.
        damage: What is wrong after the last picture; '' if nothing is.
        decoded: Whether all was decoded for it; otherwise the packets told it.
    """

    stamps_F: np.ndarray
    known_by: str
    ticks_F: np.ndarray
    end: int
    keys_K: np.ndarray
    key_stamps_K: np.ndarray
    seeks_K: np.ndarray
    tick: Fraction
    width: int
    height: int
    turn: Turn
    codec: str
    num_streams: int
    damage: str
    decoded: bool

    @property
    def num_frames(self) -> int:
        """How many pictures are shown."""
        return len(self.stamps_F)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture, in pixels."""
        return self.turn.size(self.width, self.height)

    @property
    def origin(self) -> float:
        """When the first picture is shown, in seconds of the file's clock, which sound shares."""
        return float(self.ticks_F[0] * self.tick)

    @cached_property
    def times_F(self) -> np.ndarray:
        """When each picture is shown, in seconds after the first one; float64."""
        return (self.ticks_F - self.ticks_F[0]) * float(self.tick)

    @property
    def seconds(self) -> float:
        """From the first picture to the end of the last one."""
        return float((self.end - self.ticks_F[0]) * self.tick)

    @property
    def frames_per_second(self) -> float:
        """Pictures per second, on average."""
        return self.num_frames / self.seconds

    @property
    def constant_rate(self) -> bool:
        """Whether all pictures are equally far apart, but for the rounding of time stamps."""
        steps = np.diff(self.ticks_F)
        return not len(steps) or steps.max() - steps.min() <= 1

    def frame_at(self, seconds: float) -> int:
        """The picture shown at a moment after the first one; at least 0, at most the last."""
        later = np.searchsorted(self.times_F, seconds + 1e-6, side='right')
        return max(0, int(later) - 1)

    @cached_property
    def frame_times(self) -> FrameTimes:
        """The times alone, which relate sound to the pictures."""
        return FrameTimes(self.times_F, self.frames_per_second)

    @cached_property
    def _by_stamp(self) -> np.ndarray | None:
        return None if self.known_by != 'dts' else np.argsort(self.stamps_F)

    def position(self, stamp: int) -> int | None:
        """Which picture has this stamp; None if none has."""
        place = int(np.searchsorted(self.stamps_F, stamp, sorter=self._by_stamp))
        if place == self.num_frames:
            return None
        place = place if self._by_stamp is None else int(self._by_stamp[place])
        return place if self.stamps_F[place] == stamp else None

    def key_before(self, position: int) -> int:
        """The last key frame from which a picture can be decoded; -1 is the file's beginning."""
        return int(np.searchsorted(self.keys_K, position, side='right')) - 1
