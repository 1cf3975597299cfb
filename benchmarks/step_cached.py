"""b. A step with a cached teacher against MMAction2's plain training of the same student."""

import shutil
from pathlib import Path

from .clips import clips_on_disk
from .disk_recipes import cached, distillation, supervised, write_cache
from .report import Section, comparison, table
from .sizes import Size
from .stepped import ready_loop
from .timing import Times, in_turns, spread

GOALS = dict(step=1.05, load=1.10)
VIEWS = 2


def run(size: Size, folder: Path) -> Section:
    """Time both, with and without loading, and say how they compare."""
    root = clips_on_disk(size, folder)
    teaching = distillation(size, root, folder / 'runs')
    cache = folder / f'cache_{root.name}'
    shutil.rmtree(cache, ignore_errors=True)
    write_cache(teaching, cache, VIEWS)
    loops = {
        'mmdistill': ready_loop(cached(teaching, cache)),
        'MMAction2': ready_loop(supervised(size, root, folder / 'runs')),
    }
    batches = {name: loop.load() for name, loop in loops.items()}
    steps = {
        name: lambda loop=loop, batch=batches[name]: loop.step(dict(batch))
        for name, loop in loops.items()
    }
    loading = {name: lambda loop=loop: loop.step(dict(loop.load())) for name, loop in loops.items()}
    times = dict(step=in_turns(steps, size.rounds), load=in_turns(loading, size.rounds))
    return Section('b', 'A step with a cached teacher', text(times))


def text(times: dict[str, dict[str, Times]]) -> str:
    """The table, and whether the goals are met."""
    kinds = dict(step='the step', load='loading and the step, one process')
    rows = [
        [name, kinds[kind], spread(found.wall).text(3, ' s'), spread(found.cpu).text(3, ' s')]
        for kind, by_name in times.items()
        for name, found in by_name.items()
    ]
    lines = [
        "Distillation from a cache of three experts' logits against MMAction2's own training of "
        'the same recognizer on the labels, by its own data set and pipeline on the same videos.',
        table(['', '', 'wall clock', 'processor time'], rows),
    ]
    for kind, by_name in times.items():
        ours, plain = by_name['mmdistill'], by_name['MMAction2']
        lines.append(comparison(f'mmdistill ÷ MMAction2, {kinds[kind]}', ours, plain, GOALS[kind]))
    return '\n\n'.join(lines)
