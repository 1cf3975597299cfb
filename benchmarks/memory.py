"""e. Memory: the peak of a step against the floor's; whether memory and open files stay flat."""

import ctypes
import gc
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch
from mmengine.config import Config

from .clips import clips_on_disk
from .disk_recipes import distillation
from .recipes import live
from .report import Section, goal_line, table
from .sizes import TINY, Size
from .step_live import contenders
from .stepped import ready_loop
from .timing import Spread, in_turns, ratio, spread

GOAL = 1.1
ROUNDS = 5
FLAT = 0.02  # share by which memory may grow over the second half and still counts as flat
SAMPLES = 20
WATCHED = replace(TINY, clips=20)
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


class Watched(NamedTuple):
    """A process over its iterations, `SAMPLES` times."""

    megabytes: list[float]  # resident
    open_files: list[int]  # file descriptors: files, pipes, sockets
    seconds: float


def first_stages(cfg: Config) -> Config:
    """The demo's networks without all but their first stage: watched is what surrounds them."""
    experts = [expert.model for expert in cfg.teacher.experts.values()]
    for model in (cfg.model.recognizer, *experts):
        if model.get('backbone', {}).get('type') == 'ResNet3d':
            one = dict.fromkeys(('temporal_strides', 'spatial_strides', 'dilations'), (1,))
            model.backbone.update(num_stages=1, out_indices=(0,), base_channels=4, **one)
            for head in (model.cls_head, *model.cls_head.get('heads', {}).values()):
                if 'in_channels' in head:
                    head.in_channels = 4
    return cfg


def watch(size: Size, folder: Path) -> Watched:
    """A small distillation that loads every clip from disk, watched over many epochs."""
    cfg = distillation(WATCHED, clips_on_disk(WATCHED, folder), folder)
    loop = ready_loop(first_stages(cfg))
    process, megabytes, open_files = psutil.Process(), [], []
    began = time.monotonic()
    for iteration in range(size.iterations):
        loop.step(loop.load())
        if (iteration + 1) % max(1, size.iterations // SAMPLES) == 0:
            gc.collect()
            megabytes.append(process.memory_info().rss / 1e6)
            open_files.append(process.num_fds())
    return Watched(megabytes, open_files, time.monotonic() - began)


def text(size: Size, peaks: dict[str, list[float]], watched: Watched) -> str:
    """The table, and whether the goals are met."""
    rows = [[name, spread(values).text(0, ' MB')] for name, values in peaks.items()]
    peak: Spread = ratio(peaks['mmdistill'], peaks['floor'])
    return '\n\n'.join(
        [
            'What a step with a live teacher needs on top of models, optimizer and batch, which '
            'are there before it, against the same by hand (networks and sizes as in a).',
            table(['', 'peak of a step'], rows),
            goal_line('mmdistill ÷ floor', peak, GOAL, at_most=True),
            watched_text(size.iterations, watched),
        ]
    )


def watched_text(iterations: int, watched: Watched) -> str:
    """What the process held at the beginning, in the middle and at the end."""
    half = len(watched.megabytes) // 2
    growth = watched.megabytes[-1] / watched.megabytes[half] - 1
    more = watched.open_files[-1] - watched.open_files[half]
    rows = [
        [name, *(f'{values[place]:.0f}{unit}' for place in (0, half, -1)), change, verdict]
        for name, values, unit, change, verdict in (
            ('memory', watched.megabytes, ' MB', f'{growth:+.2%}', _verdict(growth <= FLAT)),
            ('open files', watched.open_files, '', f'{more:+d}', _verdict(more <= 0)),
        )
    ]
    begin = f'after {iterations // SAMPLES:,}'
    header = ['', begin, 'after half', 'at the end', 'change over the second half', '']
    return '\n\n'.join(
        [
            f"{iterations:,} iterations of a small distillation (the first stage of the demo's "
            'networks), clips of RGB, flow and boxes loaded from disk, '
            f'{watched.seconds / 60:.1f} min:',
            table(header, rows),
        ]
    )


def _verdict(flat: bool) -> str:
    return 'flat' if flat else '**grows**'
