"""c. Several students on one cache against as many with live experts."""

import shutil
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from mmdistill.compat import adapt_to_cpu

from .clips import clips_on_disk
from .disk_recipes import cached, distillation, write_cache
from .report import Section, table
from .sizes import TINY, Size
from .timing import in_turns, ratio, seconds, spread

VIEWS = 2


def run(size: Size, folder: Path) -> Section:
    """Train them in turns; the cache's time is counted, once."""
    # The demo's networks: full ones would take hours.
    size = replace(size, config=TINY.config)
    root = clips_on_disk(size, folder)
    work_dir = folder / 'students'
    teaching = distillation(size, root, work_dir)
    teaching.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=size.epochs)
    cache = folder / 'students_cache'
    shutil.rmtree(cache, ignore_errors=True)
    writing, _ = seconds(lambda: write_cache(teaching, cache, VIEWS))
    ways = dict(live=teaching, cached=cached(teaching, cache))
    students = {name: _students(cfg) for name, cfg in ways.items()}
    times = in_turns(students, size.students, warmup=0)
    walls = {name: found.wall for name, found in times.items()}
    return Section('c', f'{size.students} students of one teacher', text(size, walls, writing))


def _students(cfg: Config):
    """Trains the next student at every call, each at another temperature."""
    numbers = iter(range(1, 1000))

    def train() -> None:
        student = train_config(cfg)
        number = next(numbers)
        student.model.losses.soft_target.temperature = float(number)
        student.experiment_name = f'student_{id(cfg)}_{number}'
        Runner.from_cfg(adapt_to_cpu(student)).train()

    return train


def train_config(cfg: Config) -> Config:
    """Train to the end, without validation; the last checkpoint is kept."""
    cfg = Config(cfg.to_dict())
    for part in ('val', 'test'):
        for kind in ('dataloader', 'cfg', 'evaluator'):
            cfg.pop(f'{part}_{kind}', None)
    cfg.load_from, cfg.log_level = None, 'ERROR'
    cfg.default_hooks.checkpoint.update(save_best=None, interval=cfg.train_cfg.max_epochs)
    return cfg


def text(size: Size, walls: dict[str, list[float]], writing: float) -> str:
    """The table: whole time, everything included."""
    live, taught = sum(walls['live']), sum(walls['cached'])
    rows = [
        ['live experts', spread(walls['live']).text(1, ' s'), '', f'{live:.0f} s'],
        [
            'one cache',
            spread(walls['cached']).text(1, ' s'),
            f'{writing:.0f} s',
            f'{taught + writing:.0f} s',
        ],
    ]
    return '\n\n'.join(
        [
            f"{size.students} trainings of the demo's networks that differ in temperature, "
            f'{size.clips} clips, {size.epochs} epochs, {VIEWS} views in the cache; loading, '
            'building and saving included.',
            table(['', 'a student', 'writing the cache', 'all'], rows),
            f'All on one cache ÷ all live: **{(taught + writing) / live:.3f}**; a student by '
            f'itself {ratio(walls["cached"], walls["live"]).text()}.',
        ]
    )
