"""Time things against each other in one run, in turns: what disturbs one disturbs all."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch


class Times(NamedTuple):
    """Seconds of one contender, a number per round."""

    wall: list[float]
    cpu: list[float]  # of this process, all threads; what others do to the machine is not in it


class Spread(NamedTuple):
    """A median with its quartiles."""

    median: float
    low: float
    high: float

    def text(self, digits: int = 3, unit: str = '') -> str:
        """`1.03 (1.02 to 1.05)`."""
        low, median, high = (f'{x:.{digits}f}' for x in (self.low, self.median, self.high))
        return f'{median}{unit} ({low} to {high})'


def in_turns(
    contenders: Mapping[str, Callable[[], Any]], rounds: int, warmup: int = 2
) -> dict[str, Times]:
    """Run every contender once per round, forwards and backwards in turn.

    Args:
        contenders: Name to what is timed.
        rounds: Number of measurements of each.
        warmup: Rounds before the first one that counts.
    """
    times = {name: Times([], []) for name in contenders}
    for number in range(warmup + rounds):
        names = list(contenders)
        for name in names if number % 2 else names[::-1]:
            wall, cpu = seconds(contenders[name])
            if number >= warmup:
                times[name].wall.append(wall)
                times[name].cpu.append(cpu)
    return times


def seconds(call: Callable[[], Any]) -> tuple[float, float]:
    """Wall clock and processor time of one call; waits for the GPU if there is one."""
    wait = torch.cuda.synchronize if torch.cuda.is_available() else (lambda: None)
    wait()
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    wait()
    return time.perf_counter() - wall, time.process_time() - cpu


def spread(values: list[float]) -> Spread:
    """Median and quartiles."""
    low, median, high = np.percentile(values, [25, 50, 75])
    return Spread(float(median), float(low), float(high))


def ratio(one: list[float], other: list[float]) -> Spread:
    """How many times as long as the other: the ratio within each round, then the median."""
    return spread([a / b for a, b in zip(one, other, strict=True)])
