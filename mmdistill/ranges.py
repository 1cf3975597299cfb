"""Which numbers a flag or an argument takes: said once, refused where they enter.

parser.add_argument('--jobs', type=ONE_OR_MORE)     # error: argument --jobs: expected a whole …
POSITIVE.check(temperature=temperature)             # ValueError: temperature must be > 0, got 0.
"""

import argparse
import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import cast

LARGEST_INTEGER = 2**63 - 1  # what tensors, arrays and HDF5 hold


@dataclass(frozen=True)
class Range:
    """Finite numbers from `low` to `high`, both included.

    Attributes:
        whole: Integers alone.
        above: `low` itself is not in the range.
    """

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    above: bool = False

    def __call__(self, text: str) -> int | float:
        """Parse the value of a flag: an argparse `type`.

        Raises:
            argparse.ArgumentTypeError: It is no number of this range.
        """
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            value = None
        if value is None or value not in self:
            raise argparse.ArgumentTypeError(f'expected a {self}, got {shortened(text)!r}')
        return value

    def __contains__(self, value: object) -> bool:
        """Whether a value is a number of this range; True and False are none."""
        if isinstance(value, bool) or not isinstance(value, Integral if self.whole else Real):
            return False
        number = cast(float, value)
        if isinstance(value, Integral) and abs(number) > LARGEST_INTEGER:
            return False
        low = number > self.low if self.above else number >= self.low
        return low and number <= self.high and math.isfinite(number)

    def check(self, **arguments: object) -> None:
        """Raise ValueError unless every argument, given by its name, is in this range."""
        for name, value in arguments.items():
            if value not in self:
                got = shortened(value if isinstance(value, Real) else repr(value))
                raise ValueError(f'{name} must be a {self}, got {got}.')

    def check_optional(self, **arguments: object) -> None:
        """As `check`; None is in the range."""
        self.check(**{name: value for name, value in arguments.items() if value is not None})

    def check_pair(self, **arguments: object) -> None:
        """Raise ValueError unless every argument is two numbers of this range."""
        for name, value in arguments.items():
            pair = value if isinstance(value, (list, tuple)) else ()
            if len(pair) != 2 or not all(number in self for number in pair):
                got = shortened(repr(value))
                raise ValueError(f'{name} must be two numbers, each a {self}, got {got}.')

    def __str__(self) -> str:
        kind = 'whole number' if self.whole else 'finite number'
        if self.low == -math.inf:
            return kind
        if self.high < math.inf:
            ends = f'> {self.low} and <=' if self.above else f'from {self.low} to'
            return f'{kind.removeprefix("finite ")} {ends} {self.high}'
        return f'{kind} {">" if self.above else ">="} {self.low}'


def shortened(value: object, longest: int = 60) -> str:
    """A value as text that leaves the line readable."""
    text = str(value)
    return text if len(text) <= longest else f'{text[:longest]}…'


FINITE = Range()
POSITIVE = Range(0, above=True)
ZERO_OR_MORE = Range(0)
FRACTION = Range(0, 1)
POSITIVE_FRACTION = Range(0, 1, above=True)
COUNT = Range(0, whole=True)
ONE_OR_MORE = Range(1, whole=True)
# More would not fit into memory, or never end.
RESAMPLES = Range(1, 1_000_000, whole=True)
NO_RESAMPLES = Range(0, 1_000_000, whole=True)
BINS = Range(1, 100_000, whole=True)
SEEDS = Range(1, 1000, whole=True)
TRAIN_CLIPS = Range(2, 1_000_000, whole=True)
VAL_CLIPS = Range(1, 1_000_000, whole=True)
BATCH = Range(1, 65_536, whole=True)
SAMPLE_RATE = Range(1000, 192000, whole=True)  # of sound, per second
# Both of numpy's and of torch's generators take these.
SEED = Range(0, 2**32 - 1, whole=True)
