"""The stages behind docs/results/missing.md: models of several modalities, with several seeds."""

from pathlib import Path

from mmdistill.stages import Stage

from .demo_chain import EXPERTS
from .results_chain import ResultsSettings, results_stages
from .results_rows import BASELINE, read_rows, select_rows

TEACHER, STUDENT = 'karmma_teacher', 'karmma'
# The first one is what the others are compared with.
MODELS = {'plain': 'karmma_plain', 'dropout': 'karmma_dropout', 'KARMMA': STUDENT}
LINES = {'RGB_student': 'student', 'RGB_baseline': BASELINE}
EVERYTHING = 'rgb+flow+obj'


def karmma_stages(settings: ResultsSettings) -> list[Stage]:
    """Experts and the RGB student, then the models of several modalities, and their tables."""
    rows = select_rows(read_rows(settings.load()), list(LINES.values()))
    stages = results_stages(settings, rows)
    for seed in range(settings.num_seeds):
        data = ('extract_flow', 'extract_boxes')
        needs = {
            TEACHER: tuple(f'seed{seed}_{name}' for name in EXPERTS),
            STUDENT: (f'seed{seed}_{TEACHER}',),
        }
        trained = (TEACHER, *MODELS.values())
        stages += [_training(settings, name, seed, needs.get(name, data)) for name in trained]
        stages += [_subsets(settings, name, seed) for name in trained]
    return [*stages, _tables(settings)]


def subset_folder(settings: ResultsSettings, name: str, seed: int) -> Path:
    """Where the dumps of a model's subsets go."""
    return settings.run(seed).work_dir / 'missing' / name


def tables_folder(settings: ResultsSettings) -> Path:
    """Where the tables and plots go."""
    return settings.work_dir / 'missing'


def _training(settings: ResultsSettings, name: str, seed: int, needs: tuple[str, ...]) -> Stage:
    run = settings.run(seed)
    folder, config = run.work_dir / name, run.config(name)
    return Stage(
        name=f'seed{seed}_{name}',
        command=(
            *('train', config, '--work-dir', str(folder), '--seed', str(seed)),
            *run.options(f'expert_dir={run.work_dir}'),
        ),
        home=run.work_dir,
        needs=needs,
        inputs=(config,),
        outputs=(f'{folder}/best*.pth',),
        owned=(str(folder),),
        resume=('--resume',),
    )


def _subsets(settings: ResultsSettings, name: str, seed: int) -> Stage:
    run, folder = settings.run(seed), subset_folder(settings, name, seed)
    return Stage(
        name=f'seed{seed}_missing_{name}',
        command=(
            *('missing-modalities', 'test', run.config(name), run.best(name)),
            *('--out', str(folder)),
            *run.options(f'expert_dir={run.work_dir}'),
        ),
        home=run.work_dir,
        needs=(f'seed{seed}_{name}',),
        inputs=(run.config(name),),
        outputs=(f'{folder}/{EVERYTHING}.npz',),
        owned=(str(folder),),
    )


def _tables(settings: ResultsSettings) -> Stage:
    seeds, out = range(settings.num_seeds), tables_folder(settings)
    names = {**MODELS, 'KARMMA_teacher': TEACHER}
    models = [
        f'{title}={",".join(str(subset_folder(settings, name, seed)) for seed in seeds)}'
        for title, name in names.items()
    ]
    lines = [
        f'{title}={",".join(f"{settings.folder(row, seed)}/scores.npz" for seed in seeds)}'
        for title, row in LINES.items()
    ]
    return Stage(
        name='missing_tables',
        command=('missing-modalities', 'compare', *models, '--line', *lines, '--out', str(out)),
        home=settings.work_dir,
        needs=(
            *(f'seed{seed}_missing_{name}' for seed in seeds for name in names.values()),
            *(f'seed{seed}_test_{row}' for seed in seeds for row in LINES.values()),
        ),
        outputs=(f'{out}/missing.md', f'{out}/missing.json'),
        owned=(str(out),),
    )
