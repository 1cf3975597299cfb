"""What random loss of modalities costs, from the accuracy on every subset of them.

Modalities are lost independently; where a clip would lose all, one of them, each as likely,
survives. So a clip meets a subset S with a known probability, and the accuracy at some drop rate is
the mixture sum over S of P(S) * acc(S): no clip has to be dropped to know it.
Shape legend: S = subsets, N = clips.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..ranges import FRACTION

Subset = tuple[str, ...]
RATES = tuple(k / 10 for k in range(10))


def subsets_of(modalities: Sequence[str]) -> list[Subset]:
    """All subsets but the empty one, the smallest first: 2^M - 1."""
    sizes = range(1, len(modalities) + 1)
    return [subset for size in sizes for subset in combinations(modalities, size)]


def subset_name(subset: Subset) -> str:
    """`rgb+flow`: what a subset is called in files and tables."""
    return '+'.join(subset)


def subset_probabilities(rates: Mapping[str, float]) -> dict[Subset, float]:
    """How likely a clip is left with each subset.

    Args:
        rates: Modality to the probability that it is lost.

    Raises:
        ValueError: There is no modality, or a rate is no probability.
    """
    if not rates:
        raise ValueError('Expected the drop rate of at least one modality, got none.')
    FRACTION.check(**{f'the drop rate of {name}': rate for name, rate in rates.items()})
    nothing = float(np.prod(list(rates.values())))
    found = {}
    for subset in subsets_of(list(rates)):
        kept = [1 - rate if name in subset else rate for name, rate in rates.items()]
        survivor = nothing / len(rates) if len(subset) == 1 else 0.0
        found[subset] = float(np.prod(kept)) + survivor
    return found


def mixture(
    values: Mapping[Subset, NDArray[np.float64]], rates: Mapping[str, float]
) -> NDArray[np.float64]:
    """Values of each subset, such as the hits (N,) of its clips, mixed at these drop rates.

    Raises:
        ValueError: A subset is missing.
    """
    probabilities = subset_probabilities(rates)
    missing = [subset_name(subset) for subset in probabilities if subset not in values]
    if missing:
        raise ValueError(
            f'A drop curve needs every subset of {sorted(rates)}; there is none for {missing}.'
        )
    parts = [p * np.asarray(values[subset], np.float64) for subset, p in probabilities.items()]
    mixed: NDArray[np.float64] = np.sum(parts, axis=0)
    return mixed


def drop_rates(modalities: Sequence[str], dropped: str | None, rate: float) -> dict[str, float]:
    """All modalities lost at one rate, or only `dropped`."""
    return {name: rate if dropped in (None, name) else 0.0 for name in modalities}
