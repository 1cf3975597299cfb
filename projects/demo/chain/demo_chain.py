"""The demo as a graph of stages: render, extract, train experts, distil, test, report."""

from dataclasses import dataclass
from pathlib import Path

from mmdistill.stages import OneFile, Stage

EXPERTS = ('rgb', 'flow', 'obj')
TEACHERS = ('teacher_uniform', 'teacher')
DEMO_MODELS = (*EXPERTS, 'student', *TEACHERS)


@dataclass(frozen=True)
class DemoSettings:
    """What the user can choose about a run of the demo.

    Args:
        data_root: Folder of the rendered data set and of what is extracted from it.
        work_dir: Folder of checkpoints, logs and the report.
        num_train: Rendered training clips with labels.
        num_unlabelled: Rendered training clips without.
        num_val: Rendered validation clips.
        data_seed: Seed of the renderer.
        seed: Seed of the trainings.
        cfg_options: `key=value` pairs handed to every training and test.
        configs: Folder of the demo's configs.
    """

    data_root: Path = Path('data/demo')
    work_dir: Path = Path('work_dirs/demo')
    num_train: int = 300
    num_val: int = 480
    num_unlabelled: int = 480
    data_seed: int = 0
    seed: int = 0
    cfg_options: tuple[str, ...] = ()
    configs: Path = Path('projects/demo/configs')

    def config(self, name: str) -> str:
        """Path of one of the demo's configs."""
        return str(self.configs / f'{name}.py')

    def best(self, name: str) -> OneFile:
        """The best checkpoint of a training."""
        return OneFile(str(self.work_dir / name / 'best*.pth'))

    def options(self, *more: str) -> tuple[str, ...]:
        """The `--cfg-options` of a training or test."""
        return ('--cfg-options', f'data_root={self.data_root}/', *more, *self.cfg_options)


def data_stages(settings: DemoSettings) -> list[Stage]:
    """Stages that make the data set: rendering, the detector, flow and detections."""
    data, home = str(settings.data_root), settings.work_dir
    render = Stage(
        name='render',
        command=(
            *('-m', 'projects.demo.render'),
            data,
            *('--train', str(settings.num_train), '--val', str(settings.num_val)),
            *('--unlabelled', str(settings.num_unlabelled)),
            *('--seed', str(settings.data_seed), '--workers', '{workers}'),
        ),
        home=home,
        outputs=(f'{data}/annotations/EPIC_100_train.csv', f'{data}/detector/train.json'),
    )
    flow = Stage(
        name='extract_flow',
        command=(
            'extract-flow',
            *('--videos', f'{data}/*/videos/*.MP4'),
            *('--out-template', f'{data}/{{participant_id}}/flow_frames/{{video_id}}'),
            *('--workers', '{workers}'),
        ),
        home=home,
        needs=('render',),
        outputs=(f'{data}/P01/flow_frames',),
    )
    return [render, _training(settings, 'detector', ('render',)), flow, _detections(settings)]


def _detections(settings: DemoSettings) -> Stage:
    data = str(settings.data_root)
    return Stage(
        name='extract_boxes',
        command=(
            'extract-detections',
            settings.config('detector'),
            settings.best('detector'),
            '--ann',
            *(f'{data}/annotations/EPIC_100_{s}.csv' for s in ('train_all', 'validation')),
            *('--data-root', data, '--out', f'{data}/detections.h5'),
            # Of another detector, it is made again: the tool replaces only what is its own.
            *('--stride', '2', '--workers', '{workers}', '--overwrite'),
        ),
        home=settings.work_dir,
        needs=('detector',),
        inputs=(settings.config('detector'),),
        outputs=(f'{data}/detections.h5',),
    )


def training_stages(settings: DemoSettings, teachers: bool = True) -> list[Stage]:
    """Stages that depend on the training seed: experts, student and their tests.

    Args:
        settings: The run.
        teachers: Also test the experts and both teachers, not only the baseline and the student.
    """
    stages = [
        _training(settings, 'rgb', ('render',)),
        _training(settings, 'flow', ('extract_flow',)),
        _training(settings, 'obj', ('extract_boxes',)),
        _training(settings, 'student', EXPERTS),
    ]
    tested = DEMO_MODELS if teachers else ('rgb', 'student')
    # Trainings come first in the list, so tests fill the cores that they leave free.
    return stages + [_test(settings, name) for name in tested]


def _training(settings: DemoSettings, name: str, needs: tuple[str, ...]) -> Stage:
    folder = settings.work_dir / name
    seed = settings.data_seed if name == 'detector' else settings.seed
    more = (f'expert_dir={settings.work_dir}',) if name == 'student' else ()
    return Stage(
        name=name,
        command=(
            'train',
            settings.config(name),
            *('--work-dir', str(folder), '--seed', str(seed)),
            *settings.options(*more),
        ),
        home=settings.work_dir,
        needs=needs,
        inputs=(settings.config(name),),
        outputs=(f'{folder}/best*.pth',),
        owned=(str(folder),),
        resume=('--resume',),
    )


def evidence_stages(settings: DemoSettings) -> list[Stage]:
    """Tests that only the report asks for: in five clips, and on the holdout of all models."""
    five = ('test_dataloader.dataset.pipeline.sample.num_clips=5',)
    # The longer ones first: those of the student are the end of the chain.
    views = [_test(settings, name, 'views', options=five) for name in ('rgb', 'student')]
    return views + [_test(settings, name, 'holdout', ('--holdout',)) for name in DEMO_MODELS]


def _test(
    settings: DemoSettings,
    name: str,
    kind: str = 'test',
    flags: tuple[str, ...] = (),
    options: tuple[str, ...] = (),
) -> Stage:
    folder = settings.work_dir / kind / name
    return Stage(
        name=f'{kind}_{name}',
        command=(
            *_tested(settings, name),
            *flags,
            *('--out', f'{folder}/metrics.json', '--dump', f'{folder}/scores.npz'),
            *('--work-dir', f'{folder}/log'),
            *_test_options(settings, name, *options),
        ),
        home=settings.work_dir,
        needs=_tested_after(name),
        inputs=(settings.config(name),),
        outputs=(f'{folder}/metrics.json', f'{folder}/scores.npz'),
        owned=(str(folder),),
    )


def _tested(settings: DemoSettings, name: str) -> tuple[str | OneFile, ...]:
    """The beginning of a test's command: the teachers bring their weights."""
    weights = () if name in TEACHERS else (settings.best(name),)
    return ('test', settings.config(name), *weights)


def _test_options(settings: DemoSettings, name: str, *more: str) -> tuple[str, ...]:
    experts = (f'expert_dir={settings.work_dir}',) if name in TEACHERS else ()
    return settings.options(*experts, *more)


def _tested_after(name: str) -> tuple[str, ...]:
    return EXPERTS if name in TEACHERS else (name,)


def report_stage(settings: DemoSettings) -> Stage:
    """The stage that measures costs and writes the report."""
    folder = settings.work_dir
    written = tuple(f'{folder}/report.{kind}' for kind in ('html', 'json', 'md', 'tex'))
    tests = tuple(f'test_{name}' for name in DEMO_MODELS)
    return Stage(
        name='report',
        command=(
            *('report', settings.config('report'), '--out', str(folder)),
            # The overrides of the models are in what their tests wrote.
            *('--cfg-options', f'data_root={settings.data_root}/', f'expert_dir={folder}'),
            f'detector.config={settings.config("detector")}',
        ),
        home=folder,
        needs=(*tests, *(stage.name for stage in evidence_stages(settings))),
        inputs=(settings.config('report'),),
        outputs=written,
        owned=written,
    )
