"""A reduced run of a config: trained and tested on a miniature of its data set, at tiny sizes."""

import json
import math
from pathlib import Path
from typing import NamedTuple

from miniature_epic import write_epic_kitchens
from miniature_something import write_something
from programs import load_program

from mmdistill.config_tools import load_config
from mmdistill.models import MultimodalTeacher
from mmdistill.registry import MODELS

ROOT = Path(__file__).parents[2]
UNIMODAL = sorted(ROOT.glob('configs/unimodal/*.py'))
FUSION = sorted(ROOT.glob('configs/fusion/*.py'))
DISTILL = sorted(ROOT.glob('configs/distill/*.py'))
NUM_CLIPS = 4
LOADERS = ('train', 'holdout', 'val', 'test')


class Result(NamedTuple):
    """What came out: the iterations that were trained, and the metrics of the test."""

    iterations: int
    metrics: dict[str, float]


def write_miniatures(folder: Path) -> dict[str, Path]:
    """The miniatures by the names that data sets have in configs."""
    something = write_something(folder / 'something')
    epic = write_epic_kitchens(folder / 'epic')
    return dict(ek100=epic, sthv2=something, sthelse=something)


def run_reduced(config: Path, miniatures: dict[str, Path], work_dir: Path) -> Result:
    """Train and test a config as a user does, with random experts where none were trained.

    Args:
        config: A file of configs/unimodal, configs/fusion or configs/distill.
        miniatures: Of `write_miniatures`.
        work_dir: Logs and checkpoints; experts are looked for beside it.
    """
    options = reduced_options(config, miniatures[config.stem.split('_')[1]], work_dir.parent)
    arguments = [str(config), '--work-dir', str(work_dir), '--cfg-options', *options]
    checkpoint, iterations = [], 0
    if not is_teacher(config):
        _main('train')(arguments)
        [best] = work_dir.glob('best_*.pth')
        [log] = work_dir.glob('*/vis_data/scalars.json')
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        steps = [line for line in lines if 'loss' in line]
        assert steps and all(math.isfinite(step['loss']) for step in steps), steps
        checkpoint, iterations = [str(best)], steps[-1]['step']
    out = work_dir / 'metrics.json'
    # The checkpoint before the options, which take whatever follows.
    _main('test')([arguments[0], *checkpoint, '--out', str(out), *arguments[1:]])
    return Result(iterations, json.loads(out.read_text())['metrics'])


def reduced_options(config: Path, root: Path, expert_dir: Path) -> list[str]:
    """What `--cfg-options` gets: few and small frames, no weights from the internet."""
    options = [f'data_root={root}/', 'load_from=None', 'train_cfg.max_epochs=1']
    options.append(f'train_dataloader.dataset.indices={NUM_CLIPS}')
    options += ['default_hooks.checkpoint.save_optimizer=False', 'default_hooks.logger.interval=1']
    for name in LOADERS:
        loader = f'{name}_dataloader'
        options += [f'{loader}.{x}' for x in ('num_workers=0', 'persistent_workers=False')]
        options += [f'{loader}.batch_size=2', f'{loader}.dataset.pipeline.sample.clip_len=8']
        geometry = f'{loader}.dataset.pipeline.load.geometry'
        if name == 'train':
            options.append(f'{geometry}.resize.scale=(56,56)')
        else:
            options += [f'{geometry}.shorter_side.scale=(-1,64)', f'{geometry}.crop.crop_size=56']
    cfg = load_config(config)
    inner = cfg.model.get('recognizer')
    for key, model in (('model', cfg.model), ('model.recognizer', inner)):
        for name, extractor in ((model or {}).get('extractors') or {}).items():
            options.append(f'{key}.extractors.{name}.checkpoint={_trained(extractor, expert_dir)}')
    for name, expert in cfg.get('teacher', {}).get('experts', {}).items():
        checkpoint = _trained(expert, expert_dir)
        options.append(f'teacher.experts.{name}.checkpoint={checkpoint}')
        if is_teacher(config):
            options.append(f'model.experts.{name}.checkpoint={checkpoint}')
    return options


def _trained(part: dict, expert_dir: Path) -> Path | None:
    """The checkpoint of an expert or extractor, if its config was run before."""
    trained = sorted((expert_dir / Path(part.get('config', '-')).stem).glob('best_*.pth'))
    return trained[0] if trained else None


def is_teacher(config: Path) -> bool:
    """Whether it is a teacher as a model of its own, which is tested only."""
    model = load_config(config).model
    return MODELS.get(model.type) is MultimodalTeacher


def _main(tool: str):
    return load_program(f'tools/{tool}.py').main
