"""e. Memory: the peak of a step against the floor's, and whether it stays flat."""

import ctypes
import gc
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import torch

from .recipes import live
from .report import Section, goal_line, table
from .sizes import TINY, Size
from .step_live import contenders, first_batch
from .stepped import ready_loop
from .timing import Spread, in_turns, ratio, spread

GOAL = 1.1
ROUNDS = 5
FLAT = 0.02  # share by which memory may grow over the second half and still counts as flat
SAMPLES = 20
MMAP_THRESHOLD = -3  # glibc's M_MMAP_THRESHOLD
PROCESS = Path('/proc/self')
PAGE_MB = resource.getpagesize() / 1e6


def run(size: Size, folder: Path) -> Section:
    """Measure both."""
    with freed_memory_returned():
        peaks = peaks_of(size, folder)
    watched = watch(size, folder)
    return Section('e', 'Memory', text(size, peaks, watched))


def peaks_of(size: Size, folder: Path) -> dict[str, list[float]]:
    """Name to the peaks of its steps, in MB."""
    ours, floor = contenders(live(size, folder))
    peaks: dict[str, list[float]] = dict(mmdistill=[], floor=[])
    steps = dict(mmdistill=ours, floor=floor)
    measured = {
        name: lambda name=name, step=step: peaks[name].append(peak_mb(step))
        for name, step in steps.items()
    }
    in_turns(measured, ROUNDS, warmup=0)
    # The first round of each brings buffers that stay.
    return {name: values[1:] for name, values in peaks.items()}


@contextmanager
def freed_memory_returned() -> Iterator[None]:
    """Let large blocks go back to the system at once, or the peaks would be those of before."""
    set_threshold = ctypes.CDLL(None).mallopt
    set_threshold(MMAP_THRESHOLD, 1 << 16)
    try:
        yield
    finally:
        # Where glibc's own threshold ends up after some large blocks.
        set_threshold(MMAP_THRESHOLD, 1 << 25)


def peak_mb(step: Callable[[], Any]) -> float:
    """What a step needs on top of what it finds, in MB: models and optimizer are there already."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    (PROCESS / 'clear_refs').write_text('5')  # forgets the peak of before
    before = _status('VmRSS')
    step()
    # A step of the smallest size fits into pages that are there: a ratio needs at least one.
    return max(PAGE_MB, (_status('VmHWM') - before) / 1e3)


def _status(key: str) -> float:
    """A line of the kernel's report on this process, in kB."""
    lines = (PROCESS / 'status').read_text().splitlines()
    return float(next(line for line in lines if line.startswith(key)).split()[1])


def watch(size: Size, folder: Path) -> list[float]:
    """Memory of the process over many steps of a small distillation, in MB."""
    small = replace(TINY, iterations=size.iterations)
    loop = ready_loop(live(small, folder))
    batch, memory = first_batch(loop), []
    for iteration in range(small.iterations):
        loop.step(dict(batch))
        if (iteration + 1) % max(1, small.iterations // SAMPLES) == 0:
            gc.collect()
            memory.append(psutil.Process().memory_info().rss / 1e6)
    return memory


def text(size: Size, peaks: dict[str, list[float]], watched: list[float]) -> str:
    """The table, and whether the goals are met."""
    rows = [[name, spread(values).text(0, ' MB')] for name, values in peaks.items()]
    half = len(watched) // 2
    middle, end = watched[half], watched[-1]
    growth = end / middle - 1
    verdict = 'flat' if growth <= FLAT else f'**grows by {growth:.1%}**'
    peak: Spread = ratio(peaks['mmdistill'], peaks['floor'])
    return '\n\n'.join(
        [
            'What a step with a live teacher needs on top of models, optimizer and batch, which '
            'are there before it, against the same by hand (networks and sizes as in a).',
            table(['', 'peak of a step'], rows),
            goal_line('mmdistill ÷ floor', peak, GOAL, at_most=True),
            f"{size.iterations} iterations of a distillation of the demo's networks: "
            f'{watched[0]:.0f} MB after {size.iterations // SAMPLES}, {middle:.0f} MB after half, '
            f'{end:.0f} MB at the end ({growth:+.2%} over the second half): {verdict}.',
        ]
    )
