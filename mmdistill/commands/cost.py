"""What models cost at test, and what they are worth for it.

    mmdistill cost student=configs/student.py obj=configs/obj.py \\
        --metrics student=student.json obj=obj.json \\
        --detector configs/detector.py work_dirs/detector/best.pth --out cost

writes cost.json and, with --metrics, cost.svg: accuracy over cost. `--frames obj=2,4,8` measures
the models that read boxes at other sampling rates, and with `--accuracy` tests them there.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..config_options import KeyValues
from ..config_tools import load_config, own_options
from ..datasets.transforms import named_steps
from ..evaluation.cost_figures import pareto_plot, rates_plot
from ..evaluation.measure import (
    machine_name,
    measure_model,
    modalities_read,
    without_weights,
)
from ..evaluation.report_data import read_metrics
from ..files import write_whole
from ..places import check_output
from ..ranges import BATCH, ONE_OR_MORE
from ..user_errors import one_line_errors

TEST = [sys.executable, '-m', 'mmdistill', 'test']


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'models', nargs='+', metavar='NAME=CONFIG[,CHECKPOINT]', help='weights only for --accuracy'
    )
    parser.add_argument('--metrics', nargs='+', default=[], metavar='NAME=FILE.json')
    parser.add_argument('--metric', default='acc/action/top1', help='vertical axis of the plots')
    parser.add_argument('--detector', nargs=2, metavar=('CONFIG', 'CHECKPOINT'), help='of boxes')
    parser.add_argument('--batch-sizes', type=BATCH, nargs='+', default=[1, 4, 16])
    parser.add_argument(
        '--repeats', type=ONE_OR_MORE, default=25, help='latency measurements of a model'
    )
    parser.add_argument(
        '--frames',
        nargs='+',
        default=[],
        metavar='MODALITY=N,N',
        help='frames of a clip to measure at, spread over the same span of video',
    )
    parser.add_argument('--accuracy', action='store_true', help='test at every rate of --frames')
    parser.add_argument('--out', default='cost', help='the files, without their ending; replaced')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValues,
        default={},
        help='override settings; data_root and expert_dir where a config has them',
    )
    args = parser.parse_args(argv)
    for name in ('models', 'metrics', 'frames'):
        pairs = [text.partition('=') for text in getattr(args, name)]
        if not all(value for _, _, value in pairs):
            parser.error(f'{name} are given as NAME=VALUE, got {getattr(args, name)}')
        setattr(args, name, {key: value for key, _, value in pairs})
    args.frames = {key: _counts(parser, text) for key, text in args.frames.items()}
    return args


def _counts(parser: argparse.ArgumentParser, text: str) -> list[int]:
    try:
        return [int(ONE_OR_MORE(number)) for number in text.split(',')]
    except argparse.ArgumentTypeError as error:
        parser.error(f'argument --frames: {error}')


def frame_options(frames: dict[str, int]) -> dict[str, int]:
    """The `--cfg-options` that make modalities read so many frames of a clip."""
    load = 'test_dataloader.dataset.pipeline.load.modalities'
    return {f'{load}.{key}.clip_len': number for key, number in frames.items()}


def rate_settings(frames: dict[str, list[int]], reads: Sequence[str]) -> Iterator[dict[str, int]]:
    """Every combination of `--frames`, of the modalities that a model reads."""
    numbers = {key: counts for key, counts in frames.items() if key in reads}
    if numbers:
        for choice in itertools.product(*numbers.values()):
            yield dict(zip(numbers, choice, strict=True))


def tested_metrics(config: str, checkpoint: str, options: dict[str, Any]) -> dict[str, float]:
    """The metrics that mmdistill test finds under these options."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / 'metrics.json'
        command = [*TEST, config, *([checkpoint] if checkpoint else [])]
        command += ['--out', str(out), '--work-dir', folder]
        command += ['--cfg-options', *[f'{key}={value}' for key, value in options.items()]]
        code = subprocess.run(command, check=False).returncode
        if code:
            sys.exit(code)  # it has said why
        return read_metrics(out)['metrics']


def given_metrics(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Name of a model to its metrics, of those that have a file; read before anything runs."""
    unknown = sorted(args.metrics.keys() - args.models.keys())
    if unknown:
        raise ValueError(f'--metrics names {unknown}, the models are {sorted(args.models)}.')
    metrics = {name: read_metrics(Path(path))['metrics'] for name, path in args.metrics.items()}
    for name, found in metrics.items():
        if args.metric not in found:
            raise ValueError(
                f'{args.metrics[name]} has no {args.metric}; --metric is one of {sorted(found)}.'
            )
    return metrics


def check_frames(args: argparse.Namespace) -> None:
    """Raise ValueError where `--frames` names a modality that no config has."""
    configs = [text.partition(',')[0] for text in args.models.values()]
    loaded = [load_config(path, own_options(path, args.cfg_options)) for path in configs]
    pipelines = [named_steps(cfg.test_dataloader.dataset.pipeline) for cfg in loaded]
    known = {'rgb'}.union(*(step.get('modalities', ()) for steps in pipelines for step in steps))
    unknown = sorted(args.frames.keys() - known)
    if unknown:
        raise ValueError(f'--frames names {unknown}, the modalities are {sorted(known)}.')


def measure(
    args: argparse.Namespace, metrics: dict[str, dict[str, float]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The entries of the models, and of the models at other sampling rates."""
    detector = None
    if args.detector:
        from ..models import FrameDetector  # brings in all of MMDetection

        detector = FrameDetector(*args.detector)
    models, rates = [], []
    for name, text in args.models.items():
        config, _, checkpoint = text.partition(',')
        options = own_options(config, args.cfg_options)
        cfg = without_weights(load_config(config, options))
        cost = measure_model(cfg, detector, args.repeats, args.batch_sizes)
        judged = {'metrics': metrics.get(name, {})}
        models.append({'name': name, 'config': config} | cost.as_dict() | judged)
        print(f'{name}: {cost.total}', flush=True)
        for frames in rate_settings(args.frames, modalities_read(cfg)):
            changed = options | frame_options(frames)
            cfg = without_weights(load_config(config, changed))
            found = {'name': name} | measure_model(cfg, detector, args.repeats).as_dict()
            found['metrics'] = tested_metrics(config, checkpoint, changed) if args.accuracy else {}
            rates.append(found)
            print(f'{name} at {frames}: {found["flops"] / 1e9:.3f} GFLOPs', flush=True)
    return models, rates


def plots(
    args: argparse.Namespace, models: list[dict[str, Any]], rates: list[dict[str, Any]]
) -> dict[str, str]:
    """Ending of a file to its drawing: of what has accuracies, and of two modalities' rates."""
    drawn = {}
    judged = [model for model in models if args.metric in model['metrics']]
    if judged:
        drawn['svg'] = pareto_plot(judged, args.metric)
    for name in args.models:
        points = [point for point in rates if point['name'] == name and point['rates']]
        others = [key for key in args.frames if key != 'rgb']
        if points and len(points[0]['rates']) > 1 and others:
            first = 'rgb' if 'rgb' in points[0]['rates'] else next(iter(points[0]['rates']))
            drawn[f'{name}.svg'] = rates_plot(points, (first, others[0]), args.metric)
    return drawn


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Measure, write, draw."""
    args = parse_args(argv)
    check_output(f'{args.out}.json', inputs=args.metrics.values())
    metrics = given_metrics(args)
    check_frames(args)
    models, rates = measure(args, metrics)
    result = {'machine': machine_name(), 'models': models, 'rates': rates}
    files = {'json': json.dumps(result, indent=2) + '\n'} | plots(args, models, rates)
    for ending, text in files.items():
        write_whole(f'{args.out}.{ending}', text.encode())
    print(f'Wrote {", ".join(f"{args.out}.{ending}" for ending in files)}')
