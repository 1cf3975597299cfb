"""A sweep as stages: a training and a test for every point of the grid and every seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..cache import read_manifest
from ..cache.format import MANIFEST
from ..files import write_whole
from .stage import OneFile, Stage
from .sweep_grid import Point, expand_grid, measure_on_holdout, point_config


@dataclass(frozen=True)
class SweepSettings:
    """What the user can choose about a sweep.

    Args:
        config: The config of a distillation.
        cache: Folder of the teacher cache that teaches every student.
        grid: Axis to values; see `expand_grid`.
        work_dir: Folder of configs, trainings, tests and the table.
        seeds: Seeds of the trainings; the augmentations are those of the cache.
        split: 'holdout' or 'test', the clips on which the points are compared.
        options: Settings that all points share, dotted key to value.
    """

    config: str
    cache: Path
    grid: Mapping[str, Any]
    work_dir: Path = Path('work_dirs/sweep')
    seeds: tuple[int, ...] = (0,)
    split: str = 'holdout'
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SweepRun:
    """A student of the sweep.

    Args:
        name: Of its point and seed.
        point: Axis to value.
        seed: Of the training.
        config: The point's config.
        folder: Where training and test write.
    """

    name: str
    point: Point
    seed: int
    config: Path
    folder: Path

    @property
    def test(self) -> str:
        """Name of the stage that tests it."""
        return f'{self.name}_test'

    @property
    def metrics(self) -> Path:
        """What testing it writes."""
        return self.folder / 'test' / 'metrics.json'


def sweep_runs(settings: SweepSettings) -> list[SweepRun]:
    """All students, every point with the first seed before any with the next."""
    points = expand_grid(settings.grid)
    return [
        SweepRun(
            name=f'{name}_seed{seed}',
            point=point,
            seed=seed,
            config=settings.work_dir / name / 'config.py',
            folder=settings.work_dir / name / f'seed{seed}',
        )
        for seed in settings.seeds
        for name, point in points.items()
    ]


def write_configs(settings: SweepSettings, runs: list[SweepRun]) -> None:
    """Write the config of every point: complete, so that it can be trained by hand as well.

    Raises:
        FileNotFoundError: There is no cache.
        KeyError, ValueError: An axis does not fit the config.
    """
    seed = read_manifest(settings.cache).fingerprint['seed']
    built = {}
    for run in runs:
        if run.config not in built:
            cfg = point_config(
                settings.config, settings.options, run.point, str(settings.cache), seed
            )
            built[run.config] = measure_on_holdout(cfg) if settings.split == 'holdout' else cfg
    for path, cfg in built.items():
        text = Config(cfg.to_dict(), format_python_code=False).pretty_text
        write_whole(path, f'{text}\n'.encode())


def sweep_stages(settings: SweepSettings, runs: list[SweepRun]) -> list[Stage]:
    """The stages of a sweep whose configs have been written."""
    return [stage for run in runs for stage in (_training(settings, run), _test(settings, run))]


def _training(settings: SweepSettings, run: SweepRun) -> Stage:
    folder = run.folder / 'train'
    return Stage(
        name=run.name,
        command=(
            'train',
            str(run.config),
            *('--work-dir', str(folder), '--seed', str(run.seed)),
        ),
        home=settings.work_dir,
        inputs=(str(run.config), str(settings.cache / MANIFEST)),
        outputs=(f'{folder}/best*.pth',),
        owned=(str(folder),),
        resume=('--resume',),
    )


def _test(settings: SweepSettings, run: SweepRun) -> Stage:
    folder = run.metrics.parent
    return Stage(
        name=run.test,
        command=(
            'test',
            str(run.config),
            OneFile(f'{run.folder}/train/best*.pth'),
            *('--out', str(run.metrics), '--dump', f'{folder}/scores.npz'),
            *('--work-dir', f'{folder}/log'),
        ),
        home=settings.work_dir,
        needs=(run.name,),
        inputs=(str(run.config),),
        outputs=(str(run.metrics), f'{folder}/scores.npz'),
        owned=(str(folder),),
    )
