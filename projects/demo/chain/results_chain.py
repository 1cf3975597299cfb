"""The stages behind a results page: experts, a teacher cache and every row, with several seeds."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.config import Config

from mmdistill.config_tools import load_config
from mmdistill.files import write_whole
from mmdistill.stages import Stage
from mmdistill.stages.sweep_grid import point_config

from .demo_chain import EXPERTS, DemoSettings, data_stages, training_stages
from .results_rows import BASELINE, ResultRow


@dataclass(frozen=True)
class ResultsSettings:
    """What the user can choose about a results page.

    Args:
        demo: The demo whose data the trainings use.
        config: Of the page: its rows, the student's config, the cache, the views.
        work_dir: Folder of all trainings.
        num_seeds: Seeds 0, 1, … of the trainings.
    """

    demo: DemoSettings
    config: str = 'projects/demo/configs/results.py'
    work_dir: Path = Path('work_dirs/results')
    num_seeds: int = 5

    def load(self) -> Config:
        """The config of the page."""
        return load_config(self.config)

    def run(self, seed: int) -> DemoSettings:
        """The demo with another training seed."""
        return replace(self.demo, seed=seed, work_dir=self.work_dir / f'seed{seed}')

    def folder(self, row: str, seed: int, kind: str = 'test') -> Path:
        """Where a test of a row writes its dump and metrics; `kind` is 'test' or 'views'."""
        return self.run(seed).work_dir / kind / row

    def cache(self, seed: int) -> Path:
        """The experts' logits."""
        return self.run(seed).work_dir / 'cache'


def row_config(settings: ResultsSettings, row: ResultRow, seed: int) -> Config:
    """The config of a student, or of the distillation whose teacher a row is."""
    run = settings.run(seed)
    options = {'data_root': f'{run.data_root}/', 'expert_dir': str(run.work_dir)}
    student = settings.load().student
    return point_config(student, options, row.point, str(settings.cache(seed)), seed)


def results_stages(settings: ResultsSettings, rows: Mapping[str, ResultRow]) -> list[Stage]:
    """Data, experts, caches, then the rows in their order; writes the students' configs.

    Args:
        settings: The run.
        rows: Those to be trained and tested. They bring the baseline and what they build on: a
            teacher and any student all experts and their cache, other rows only their data.
    """
    stages = data_stages(settings.demo)
    shared = {stage.name for stage in stages}
    seeds = range(settings.num_seeds)
    experts = {*EXPERTS, *(f'test_{name}' for name in EXPERTS)}
    for seed in seeds:
        found = [stage for stage in training_stages(settings.run(seed)) if stage.name in experts]
        stages += [*(_of_seed(stage, seed, shared) for stage in found), _cache(settings, seed)]
    views = settings.load().views
    wanted = {f'seed{seed}_test_{BASELINE}' for seed in seeds}
    for row in rows.values():
        for seed in seeds:
            wanted |= _measured_by(row, seed)
            if row.kind != 'teacher' and row.name not in EXPERTS:
                stages += [_training(settings, row, seed), _test(settings, row, seed)]
            if row.name in views['of']:
                stages.append(_views(settings, row, seed, views))
                wanted.add(stages[-1].name)
    return _needed(stages, wanted)


def measured_seeds(settings: ResultsSettings, row: ResultRow, finished: Set[str]) -> list[int]:
    """The seeds with which everything that a row of the page needs is finished."""
    return [seed for seed in range(settings.num_seeds) if _measured_by(row, seed) <= finished]


def _measured_by(row: ResultRow, seed: int) -> set[str]:
    """The stages from whose files a row of the page is computed."""
    if row.kind != 'teacher':
        return {f'seed{seed}_test_{row.name}'}
    return {f'seed{seed}_cache', *(f'seed{seed}_test_{name}' for name in EXPERTS)}


def _needed(stages: list[Stage], wanted: set[str]) -> list[Stage]:
    """The stages wanted and all that they build on, in their order."""
    kept = set(wanted)
    for stage in reversed(stages):  # whoever needs a stage comes after it
        if stage.name in kept:
            kept.update(stage.needs)
    return [stage for stage in stages if stage.name in kept]


def _of_seed(stage: Stage, seed: int, shared: Iterable[str]) -> Stage:
    needs = tuple(n if n in shared else f'seed{seed}_{n}' for n in stage.needs)
    return replace(stage, name=f'seed{seed}_{stage.name}', needs=needs)


def _cache(settings: ResultsSettings, seed: int) -> Stage:
    cfg, run, folder = settings.load(), settings.run(seed), settings.cache(seed)
    return Stage(
        name=f'seed{seed}_cache',
        command=(
            *('cache-teacher', cfg.student, str(folder)),
            *('--views', str(cfg.cache_views), '--seed', str(seed)),
            *run.options(f'expert_dir={run.work_dir}'),
        ),
        home=run.work_dir,
        needs=tuple(f'seed{seed}_{name}' for name in EXPERTS),
        inputs=(cfg.student,),
        outputs=(f'{folder}/manifest.json',),
        owned=(str(folder),),
    )


def _training(settings: ResultsSettings, row: ResultRow, seed: int) -> Stage:
    run = settings.run(seed)
    folder = run.work_dir / row.name
    if row.kind == 'student':
        config, options, needs = _written(settings, row, seed), (), f'seed{seed}_cache'
    else:
        config, options, needs = row.config, run.options(), 'render'
    return Stage(
        name=f'seed{seed}_{row.name}',
        command=(
            *('train', config),
            *('--work-dir', str(folder), '--seed', str(seed), *options),
        ),
        home=run.work_dir,
        needs=(needs,),
        inputs=(config,),
        outputs=(f'{folder}/best*.pth',),
        owned=(str(folder),),
        resume=('--resume',),
    )


def _written(settings: ResultsSettings, row: ResultRow, seed: int) -> str:
    """Write the config of a student: complete, so that it can be trained by hand as well."""
    path = settings.run(seed).work_dir / 'configs' / f'{row.name}.py'
    text = Config(row_config(settings, row, seed).to_dict(), format_python_code=False).pretty_text
    write_whole(path, f'{text}\n'.encode())
    return str(path)


def _test(settings: ResultsSettings, row: ResultRow, seed: int) -> Stage:
    # A student's weights are those of the stock recognizer, which needs no teacher to be tested.
    config = row.config or settings.demo.config('rgb')
    return _testing(settings, row, seed, config, 'test')


def _views(settings: ResultsSettings, row: ResultRow, seed: int, views: dict) -> Stage:
    return _testing(settings, row, seed, views['config'], 'views')


def _testing(settings: ResultsSettings, row: ResultRow, seed: int, config: str, kind: str) -> Stage:
    run, folder = settings.run(seed), settings.folder(row.name, seed, kind)
    return Stage(
        name=f'seed{seed}_{kind}_{row.name}',
        command=(
            *('test', config, run.best(row.name)),
            *('--out', f'{folder}/metrics.json', '--dump', f'{folder}/scores.npz'),
            *('--work-dir', f'{folder}/log', *run.options()),
        ),
        home=run.work_dir,
        needs=(f'seed{seed}_{row.name}',),
        inputs=(config,),
        outputs=(f'{folder}/metrics.json', f'{folder}/scores.npz'),
        owned=(str(folder),),
    )
