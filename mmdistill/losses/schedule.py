"""Loss weights that follow training: pure functions of its progress, and thin classes.

`progress` is the fraction of training that is done, iteration / max_iters, in [0, 1). It is all
that a weight depends on, so a resumed run continues with the very same weights.
"""

import math
from collections.abc import Sequence
from typing import Any

from ..ranges import FRACTION, ZERO_OR_MORE
from ..registry import MODELS


def linear_weight(progress: float, start: float, end: float, begin: float, until: float) -> float:
    """`start` before `begin`, `end` after `until`, and a straight line between.

    Args:
        progress: Fraction of training done.
        start: Weight before the ramp.
        end: Weight after the ramp.
        begin: Fraction of training at which the ramp begins.
        until: Fraction of training at which it is done.
    """
    return start + (end - start) * _ramp(progress, begin, until)


def cosine_weight(progress: float, start: float, end: float, begin: float, until: float) -> float:
    """As `linear_weight`, along half a period of a cosine: flat at both ends."""
    return start + (end - start) * (1 - math.cos(math.pi * _ramp(progress, begin, until))) / 2


def step_weight(progress: float, weights: Sequence[float], milestones: Sequence[float]) -> float:
    """`weights[i]` after `i` of the milestones (fractions of training) were reached."""
    return weights[sum(progress >= milestone for milestone in milestones)]


def _ramp(progress: float, begin: float, until: float) -> float:
    if progress >= until:
        return 1.0
    return max(0.0, (progress - begin) / (until - begin)) if until > begin else 0.0


class WeightSchedule:
    """A loss weight as a function of training's progress; the base of all registered schedules."""

    def __call__(self, progress: float) -> float:
        """The weight when the fraction `progress` of training is done."""
        raise NotImplementedError


@MODELS.register_module()
class LinearWeight(WeightSchedule):
    """See `linear_weight`.

    Raises:
        ValueError: A weight is negative, or not 0 <= begin <= until <= 1.
    """

    def __init__(self, start: float, end: float, begin: float = 0.0, until: float = 1.0) -> None:
        _check_ramp(start, end, begin, until)
        self.arguments = (start, end, begin, until)

    def __call__(self, progress: float) -> float:
        """The weight when the fraction `progress` of training is done."""
        return linear_weight(progress, *self.arguments)


@MODELS.register_module()
class CosineWeight(LinearWeight):
    """See `cosine_weight`."""

    def __call__(self, progress: float) -> float:
        """The weight when the fraction `progress` of training is done."""
        return cosine_weight(progress, *self.arguments)


@MODELS.register_module()
class StepWeight(WeightSchedule):
    """See `step_weight`.

    Raises:
        ValueError: A weight is negative, there is not one weight more than milestones, or the
            milestones are not rising fractions of training.
    """

    def __init__(self, weights: Sequence[float], milestones: Sequence[float]) -> None:
        for weight in weights:
            ZERO_OR_MORE.check(**{'A weight of StepWeight': weight})
        rising = list(milestones) == sorted(set(milestones))
        if len(weights) != len(milestones) + 1 or not rising:
            raise ValueError(
                'StepWeight expects rising milestones and one weight more than these, got weights '
                f'{list(weights)} and milestones {list(milestones)}.'
            )
        _check_fractions(*milestones)
        self.weights = tuple(weights)
        self.milestones = tuple(milestones)

    def __call__(self, progress: float) -> float:
        """The weight when the fraction `progress` of training is done."""
        return step_weight(progress, self.weights, self.milestones)


def build_weight(weight: float | dict[str, Any], name: str) -> WeightSchedule | float:
    """A loss weight from a config: a number, or the schedule that a dict describes.

    Raises:
        TypeError: It is neither, or a dict of something that is no schedule.
        ValueError: The number is negative or not finite.
    """
    built = MODELS.build(weight) if isinstance(weight, dict) else weight
    if isinstance(built, WeightSchedule):
        return built
    if isinstance(built, bool) or not isinstance(built, (int, float)):
        raise TypeError(
            f'{name} must be a number or a schedule such as dict(type="mmdistill.LinearWeight", '
            f'start=0.0, end=0.9), got {weight!r}.'
        )
    ZERO_OR_MORE.check(**{name: built})
    return built


def _check_ramp(start: float, end: float, begin: float, until: float) -> None:
    ZERO_OR_MORE.check(start=start, end=end)
    _check_fractions(begin, until)
    if begin > until:
        raise ValueError(f'The ramp must begin before it ends, got begin={begin}, until={until}.')


def _check_fractions(*fractions: float) -> None:
    if not all(fraction in FRACTION for fraction in fractions):
        raise ValueError(
            f'Schedules count in fractions of training, from 0 to 1, got {list(fractions)}; '
            'divide epochs by max_epochs.'
        )
