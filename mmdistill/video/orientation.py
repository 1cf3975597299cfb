"""How a stored picture is turned to stand upright: the display matrix that phones write.

Shape legend: H, W = rows and columns of a picture.
"""

from typing import Any, NamedTuple

import av
import numpy as np


class Turn(NamedTuple):
    """First swap rows and columns, then reverse the order of either."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @property
    def degrees(self) -> int:
        """Clockwise rotation; of a mirrored picture, the one after mirroring its columns."""
        rows = self.flip_rows
        return (90 if not rows else 270) if self.transpose else (180 if rows else 0)

    @property
    def mirrored(self) -> bool:
        """Whether the picture is also mirrored, as some front cameras write it."""
        return (self.transpose + self.flip_rows + self.flip_columns) % 2 == 1

    def apply(self, picture_HW3: np.ndarray) -> np.ndarray:
        """The upright picture, as a view."""
        turned = picture_HW3.swapaxes(0, 1) if self.transpose else picture_HW3
        return turned[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the upright picture."""
        return (height, width) if self.transpose else (width, height)


def turn_of(frame: av.VideoFrame) -> Turn:
    """The turn that a frame's display matrix asks for, to the nearest quarter."""
    side: Any = frame.side_data  # its stubs say that it is text
    data = next((d for d in side if d.type.name == 'DISPLAYMATRIX'), None)
    if data is None:
        return Turn()
    # x' = a x + c y, y' = b x + d y: where a stored pixel (x, y) is shown.
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    if a == b == 0:
        return Turn()  # not a rotation at all
    return Turn(True, b < 0, c < 0) if abs(b) > abs(a) else Turn(False, d < 0, a < 0)
