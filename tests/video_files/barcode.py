"""Pictures that carry their own number, and which corner is up; a sound that tells the time.

A picture is a grid of 4 x 4 blocks. Six of them are the mark, which looks otherwise in each of the
eight ways in which a picture can be turned and mirrored; eight are the number, two its check sum.
Blocks survive codecs, 4:2:0, 10 bits and scaling. The sound rises by 1,000 Hz in a second.
"""

from typing import NamedTuple

import numpy as np

SIDE = 4
MARK = {(0, 0): 1, (0, 1): 1, (1, 0): 0, (0, 3): 0, (3, 0): 0, (3, 3): 0}
DATA = [(row, column) for row in range(SIDE) for column in range(SIDE) if (row, column) not in MARK]
# The first block is light red, so that RGB and BGR differ.
RED = (255, 150, 150)
# The mark, mirrored and turned: (mirrored, quarter turns clockwise).
WAYS = [(mirrored, turns) for mirrored in (False, True) for turns in range(4)]
# What stands for a picture that is damaged, not upright, or has red and blue exchanged.
UNREADABLE = 255
BASE_HZ, HZ_PER_SECOND = 600.0, 1000.0


class Reading(NamedTuple):
    """What a picture shows; `number` is None where nothing can be read."""

    number: int | None
    mirrored: bool = False
    turns: int = 0
    is_rgb: bool = True

    @property
    def upright(self) -> bool:
        return not self.mirrored and not self.turns


def draw(number: int, width: int = 96, height: int = 64) -> np.ndarray:
    """The picture (height, width, 3), RGB uint8, of a number below 255."""
    cells = np.zeros((SIDE, SIDE), np.uint8)
    for cell, bit in MARK.items():
        cells[cell] = bit
    for place, cell in enumerate(DATA):
        cells[cell] = _code(number) >> place & 1
    rows, columns = np.arange(height) * SIDE // height, np.arange(width) * SIDE // width
    picture = np.repeat(cells[rows][:, columns, None] * 255, 3, axis=2).astype(np.uint8)
    picture[: height // SIDE, : width // SIDE] = RED
    return picture


def read(picture_HW3: np.ndarray) -> Reading:
    """What a picture shows, however it is turned."""
    cells = _cells(picture_HW3)
    bits = cells.mean(axis=2) > 128
    for mirrored, turns in WAYS:
        turned = np.rot90(bits, turns)
        turned = turned[:, ::-1] if mirrored else turned
        if any(bool(turned[cell]) != bool(bit) for cell, bit in MARK.items()):
            continue
        code = sum(int(turned[cell]) << place for place, cell in enumerate(DATA))
        first = np.rot90(cells, turns)[0, -1 if mirrored else 0]
        if code == _code(code & 0xFF):
            return Reading(code & 0xFF, mirrored, turns, bool(first[0] > first[2]))
    return Reading(None)


def number_of(picture_HW3: np.ndarray) -> int:
    """The number of an upright RGB picture; UNREADABLE of any other."""
    found = read(picture_HW3)
    fine = found.number is not None and found.upright and found.is_rgb
    return found.number if fine else UNREADABLE


def sweep(seconds: float, rate: int, start: float = 0.0) -> np.ndarray:
    """Samples (N,) float32 of the sound from second `start` on."""
    moments = start + np.arange(round(seconds * rate)) / rate
    phase = BASE_HZ * moments + HZ_PER_SECOND * moments**2 / 2
    return (0.5 * np.sin(2 * np.pi * phase)).astype(np.float32)


def moment_of(samples_N: np.ndarray, rate: int) -> float:
    """The second that the middle of some samples (N,) is from; NaN where they are silent."""
    if np.abs(samples_N).max(initial=0) < 0.02:
        return float('nan')
    spectrum = np.abs(np.fft.rfft(samples_N * np.hanning(len(samples_N)), 1 << 16))
    return float((spectrum.argmax() * rate / (1 << 16) - BASE_HZ) / HZ_PER_SECOND)


def _code(number: int) -> int:
    """The number and its check sum: 10 bits."""
    return number | (number ^ number >> 2 ^ number >> 4 ^ number >> 6 ^ 1) % 4 << 8


def _cells(picture_HW3: np.ndarray) -> np.ndarray:
    """The colour (SIDE, SIDE, 3) in the middle of each block."""
    height, width = picture_HW3.shape[:2]

    def middle(index: int, length: int) -> slice:
        begin, size = index * length / SIDE, length / SIDE
        first = int(begin + size / 4)
        return slice(first, max(int(begin + size * 3 / 4), first + 1))

    rows, columns = ([middle(i, length) for i in range(SIDE)] for length in (height, width))
    return np.array([[picture_HW3[y, x].mean(axis=(0, 1)) for x in columns] for y in rows])
