"""Bootstrap over clips that come in groups, usually videos.

Clips of one video look alike, so they are drawn together: whole videos with replacement.
Davison & Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8, with percentile
intervals.
Shape legend: N = clips, G = groups, R = resamples.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Numbers that may be held at once: rows of weights are made in parts of at most this many.
PART_SIZE = 4_000_000


class Interval(NamedTuple):
    """An estimate with its bootstrap interval."""

    mean: float
    low: float
    high: float


class Resamples(NamedTuple):
    """How often every group counts in each resample of them."""

    draws_RG: NDArray[np.float64]
    names_G: NDArray[np.str_]
    group_N: NDArray[np.int64]  # position of each clip's group

    def weights(self) -> NDArray[np.float64]:
        """How often each clip occurs, (R, N); clips of one group always alike."""
        return self.draws_RG[:, self.group_N]

    def parts(self) -> Iterator['Resamples']:
        """The same resamples, a few at a time, so that their weights fit into memory."""
        step = max(1, PART_SIZE // max(1, len(self.group_N)))
        for begin in range(0, len(self.draws_RG), step):
            yield self._replace(draws_RG=self.draws_RG[begin : begin + step])


def every_clip_once(groups_N: Sequence[Any] | NDArray[Any]) -> Resamples:
    """The test set itself: a single row of weights, all of them 1."""
    names_G, group_N = np.unique(np.asarray(groups_N), return_inverse=True)
    return Resamples(np.ones((1, len(names_G))), names_G, group_N)


def resample_groups(
    groups_N: Sequence[Any] | NDArray[Any], num_resamples: int, seed: int = 0
) -> Resamples:
    """Draw as many groups as there are, with replacement, `num_resamples` times.

    Raises:
        ValueError: There are fewer than two groups, which say nothing about the spread.
    """
    once = every_clip_once(groups_N)
    number = len(once.names_G)
    if number < 2:
        raise ValueError(
            f'A bootstrap over groups needs at least two of them, got {number}; '
            'test on clips of several videos.'
        )
    generator = np.random.default_rng(seed)
    draws_RG = generator.multinomial(number, np.full(number, 1 / number), num_resamples)
    return once._replace(draws_RG=draws_RG.astype(np.float64))


def cluster_weights(
    groups_N: Sequence[Any] | NDArray[Any], num_resamples: int, seed: int = 0
) -> NDArray[np.float64]:
    """How often each clip occurs in each resample of the groups: (R, N) counts.

    Raises:
        ValueError: There are fewer than two groups.
    """
    return resample_groups(groups_N, num_resamples, seed).weights()


def percentile_interval(mean: float, values_R: NDArray[Any], level: float = 0.95) -> Interval:
    """The middle `level` of what the resamples gave.

    Raises:
        ValueError: The level is not in (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f'The level of an interval lies in (0, 1), got {level}; usual is 0.95.')
    low, high = np.quantile(values_R, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high))


def interval_ends(intervals: Mapping[str, Interval]) -> dict[str, float]:
    """The intervals as metrics: `<name>/low` and `<name>/high`."""
    return {
        f'{name}/{end}': getattr(interval, end)
        for name, interval in intervals.items()
        for end in ('low', 'high')
    }
