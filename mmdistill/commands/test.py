"""Test any config: `mmdistill test CONFIG CHECKPOINT --out metrics.json`."""

import argparse
import json
import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import is_main_process
from mmengine.model import revert_sync_batchnorm
from torch import nn

import mmdistill

from ..compat import adapt_to_cpu
from ..config_options import KeyValues
from ..config_paths import Places
from ..config_tools import load_config, take_holdout_clips
from ..config_usage import unused_entries
from ..data_checks import check_run
from ..deploy.published_recognizer import ENDINGS, PublishedRecognizer
from ..extras import installed_versions
from ..files import file_sha256, find_file, write_whole
from ..models import MultimodalTeacher
from ..models.class_names import check_class_names, class_names_of
from ..models.temperature import KEY, read_temperatures, use_temperatures
from ..places import check_output
from ..ranges import COUNT, SEED
from ..runner import CheckedRunner
from ..selection import apply_selection, how_selected
from ..user_errors import one_line_errors

# Upstream's metrics that take one row of scores per clip and would misread the views of a dump.
ONE_VIEW_METRICS = ('AccMetric', 'ConfusionMatrix')
PACKAGES = ('torch', 'mmengine', 'mmcv', 'mmcv-lite', 'mmdet', 'mmaction2', 'numpy')


class TestRunner(CheckedRunner):
    """A runner that only tests."""

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """No DDP: nothing is synchronised in a test, and DDP refuses a frozen teacher."""
        return revert_sync_batchnorm(model.to(get_device()))

    def load_or_resume(self) -> None:
        """Load strictly: a checkpoint of another model is an error, not a bad result."""
        if self._load_from is not None:
            self.load_checkpoint(self._load_from, strict=True)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; the flags are those of MMAction2's tools/test.py and our outputs."""
    parser = argparse.ArgumentParser(description='Test an expert, a teacher or a student.')
    parser.add_argument('config', help='path of the config file')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='the weights, or a published or exported model; a MultimodalTeacher has its own',
    )
    parser.add_argument('--work-dir', help='where logs go; default work_dirs/<config name>')
    parser.add_argument(
        '--out', help='write the metrics to this .json file; one that is there is replaced'
    )
    parser.add_argument(
        '--dump',
        help='write logits of every view, labels and sample ids to this .npz file, replacing one '
        'that is there; mmdistill rescore computes every metric from it',
    )
    add_scaling(parser)
    parser.add_argument('--seed', type=SEED, help='seed of whatever the test pipeline draws')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValues,
        help='override settings: key=value; data_root=DIR and expert_dir=DIR move every path',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=COUNT, default=0)
    args = parser.parse_args(argv)
    check_args(parser, args)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def add_scaling(parser: argparse.ArgumentParser) -> None:
    """The flags of temperature scaling: the clips to fit on, and the use of what was fitted."""
    parser.add_argument(
        '--holdout',
        action='store_true',
        help="test on the clips of the config's holdout_dataloader, by the pipeline of the test",
    )
    parser.add_argument(
        '--temperatures',
        nargs='?',
        const='',
        metavar='FILE',
        help='divide the logits by the temperatures in the checkpoint, or in another published '
        'checkpoint or .json file of mmdistill temperature-scaling',
    )


def check_args(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Leave with a message where outputs and flags do not go together."""
    if args.out and not args.out.endswith('.json'):
        parser.error(f'--out must end with .json, got {args.out}')
    if args.dump and not args.dump.endswith('.npz'):
        parser.error(f'--dump must end with .npz, got {args.dump}')
    if args.dump and args.temperatures is not None:
        parser.error(
            '--dump holds the logits as the model gives them: leave out --temperatures here, and '
            'give it to mmdistill rescore'
        )


def build_config(args: argparse.Namespace) -> Config:
    """The config file with everything that the command line says."""
    cfg = load_config(args.config, args.cfg_options)
    if not cfg.get('test_dataloader') or not cfg.get('test_evaluator'):
        raise ValueError(f'{args.config} has no test_dataloader or test_evaluator; add both.')
    if args.holdout:
        take_holdout_clips(cfg)
    cfg.launcher = args.launcher
    name = Path(args.config).stem
    default_dir = cfg.get('work_dir') or Places(args.config).output(f'work_dirs/{name}')
    cfg.work_dir = args.work_dir or default_dir
    check_output(cfg.work_dir, folder=True)
    for path in filter(None, (args.out, args.dump)):
        check_output(path, inputs=[args.config, args.checkpoint])
    # A training config's load_from is where training starts, never what is to be tested.
    cfg.resume, cfg.load_from = False, args.checkpoint
    if is_published(args.checkpoint):
        use_published(cfg, args)
    if args.seed is not None:
        cfg.randomness = dict(cfg.get('randomness') or {}, seed=args.seed)
    if args.dump:
        add_dump(cfg, args.dump)
    return adapt_to_cpu(cfg)


def is_published(checkpoint: str | None) -> bool:
    """Whether it is the file of a published or exported model."""
    return checkpoint is not None and Path(checkpoint).suffix in ENDINGS


def use_published(cfg: Config, args: argparse.Namespace) -> None:
    """Let a published or exported model predict what the config's model would."""
    scaled: Any = args.temperatures
    if scaled is not None:
        scaled = read_temperatures(scaled) if scaled else 'own'
    cfg.model = dict(
        type='mmdistill.PublishedRecognizer', path=args.checkpoint, temperatures=scaled
    )
    cfg.load_from = None


def add_dump(cfg: Config, path: str) -> None:
    """Append the metric that writes the dump, which is the only one for clips without labels."""
    evaluator = cfg.test_evaluator
    metrics = list(evaluator) if isinstance(evaluator, (list, tuple)) else [evaluator]
    refused = [m['type'] for m in metrics if m['type'] in ONE_VIEW_METRICS]
    if refused:
        raise ValueError(
            f'--dump gives the metrics logits of every view, which {refused[0]} cannot read: use '
            'mmdistill.TaskAccuracy in test_evaluator, or test without --dump.'
        )
    if cfg.test_dataloader.dataset.get('labelled', True) is False:
        metrics = []  # without labels there is nothing to measure
    cfg.test_evaluator = [*metrics, dict(type='mmdistill.DumpScores', out=path)]


def keep_views(model: nn.Module) -> None:
    """Make the heads of a model predict logits of every view instead of their average."""
    for name, head in _heads(model):
        if head.average_clips == 'prob':
            raise ValueError(
                f"--dump writes logits, but {name} averages probabilities (average_clips='prob'): "
                "set average_clips='score' there and scores='logits' on the metrics."
            )
        head.average_clips = None


def _heads(module: nn.Module, name: str = 'model') -> Iterator[tuple[str, Any]]:
    """Every module that averages clips; a teacher's experts are averaged by the teacher."""
    if isinstance(module, MultimodalTeacher):
        return
    if hasattr(module, 'average_clips'):
        yield name, module
    for child_name, child in module.named_children():
        yield from _heads(child, f'{name}.{child_name}')


def find_temperatures(args: argparse.Namespace, cfg: Config) -> dict[str, float]:
    """The temperatures that the command line or the config asks for; none where neither does."""
    if is_published(args.checkpoint):
        return {}  # it has been told
    if args.temperatures is None:
        return dict(cfg.get(KEY) or {})
    if not (args.temperatures or args.checkpoint):
        raise ValueError('--temperatures without a checkpoint needs the file that holds them.')
    return read_temperatures(args.temperatures or args.checkpoint)


def write_result(
    args: argparse.Namespace,
    metrics: dict[str, Any],
    num_samples: int,
    scaled: dict[str, Any],
    selected: str,
) -> None:
    """Write the metrics and what they were measured on; the file is complete or not there."""
    versions = installed_versions(*PACKAGES)
    result = {
        'metrics': {name: float(value) for name, value in sorted(metrics.items())},
        'num_samples': num_samples,
        'holdout': args.holdout,
        KEY: scaled,
        'config': args.config,
        'cfg_options': args.cfg_options or {},
        'checkpoint': args.checkpoint,
        'selected': selected,
        'checkpoint_sha256': file_sha256(args.checkpoint) if args.checkpoint else None,
        'versions': {
            'mmdistill': mmdistill.__version__,
            'python': platform.python_version(),
            **versions,
        },
    }
    write_whole(args.out, (json.dumps(result, indent=2, default=str) + '\n').encode())


def check_published(runner: TestRunner) -> None:
    """Raise ValueError unless the model's classes are those of the data set, name for name."""
    metainfo = getattr(runner.test_loop.dataloader.dataset, 'metainfo', None)
    known = {'the data set': class_names_of(metainfo), 'the model': runner.model.described.classes}
    check_class_names(known)


def selected_by(args: argparse.Namespace) -> str:
    """How the training of this config chose the checkpoint; see `how_selected`."""
    cfg = load_config(args.config)
    apply_selection(cfg)
    return how_selected(cfg, args.checkpoint)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Test, and write what was asked for."""
    args = parse_args(argv)
    if args.checkpoint is not None:
        advice = f'train one with `mmdistill train {args.config}`, or give the path of yours'
        args.checkpoint = find_file(args.checkpoint, 'checkpoint', advice)
    cfg = build_config(args)
    # As the training chose; the test may be told to look at other clips.
    selected = selected_by(args)
    runner = TestRunner.from_cfg(cfg)
    if args.checkpoint is None and not isinstance(runner.model, MultimodalTeacher):
        raise ValueError(
            f'{args.config} needs a checkpoint: `mmdistill test {args.config} CHECKPOINT`. '
            'Only a mmdistill.MultimodalTeacher brings its own weights.'
        )
    temperatures = find_temperatures(args, cfg)
    if isinstance(runner.model, PublishedRecognizer):
        temperatures = dict(runner.model.temperatures)
        check_published(runner)
    if temperatures and args.dump:
        raise ValueError(f'--dump holds unscaled logits: take {KEY} out of {args.config}.')
    if temperatures and not isinstance(runner.model, PublishedRecognizer):
        use_temperatures(runner.model, temperatures)
        runner.logger.info(f'Logits are divided by the temperatures {temperatures}.')
    if args.dump:
        keep_views(runner.model)
    for sentence in unused_entries(runner.cfg, args.cfg_options or ()):
        runner.logger.warning(sentence)
    check_run(runner, test=True)
    metrics = runner.test()
    if args.out and is_main_process():
        num_samples = len(runner.test_loop.dataloader.dataset)
        write_result(args, metrics, num_samples, temperatures, selected)
        runner.logger.info(f'Metrics written to {args.out}')
