"""Test a model on every subset of its modalities, and compare models that lose some.

    mmdistill missing-modalities test CONFIG CHECKPOINT --out work_dirs/missing/karmma
    mmdistill missing-modalities compare karmma=work_dirs/missing/karmma plain=… \\
        --line RGB=work_dirs/test/student --out work_dirs/missing

`test` runs the extractors once and writes a dump per subset; `mmdistill compare` reads them, too.
`compare` writes missing.md, missing.json and a plot per task: top-1 on every subset, and where each
modality is lost with some probability. Several seeds of a model are NAME=FOLDER,FOLDER.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from rich.progress import track

from ..compat import adapt_to_cpu
from ..config_options import KeyValues
from ..config_tools import load_config
from ..data_checks import check_run
from ..evaluation import tasks_of
from ..evaluation.missing_table import (
    compare_subsets,
    load_subsets,
    missing_markdown,
    missing_plot,
)
from ..evaluation.score_groups import load_groups, named_path
from ..files import find_file, write_whole
from ..metrics import DumpScores
from ..metrics.missing import subset_name, subsets_of
from ..models import FusionRecognizer
from ..models.fusion_recognizer import PRESENT
from ..places import check_output
from ..ranges import RESAMPLES
from ..user_errors import one_line_errors
from .test import TestRunner, keep_views


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    test = commands.add_parser('test', help='write a dump for every subset')
    test.add_argument('config', help='config of a FusionRecognizer, or of a student that is one')
    test.add_argument('checkpoint', help='its weights')
    test.add_argument('--out', required=True, help='folder of the dumps; those there are replaced')
    test.add_argument('--work-dir', help='where logs go; default: OUT/log')
    test.add_argument('--cfg-options', nargs='+', action=KeyValues, help='override settings')
    compare = commands.add_parser('compare', help='tables and plots from the dumps')
    compare.add_argument('models', nargs='+', metavar='NAME=FOLDER[,FOLDER…]')
    compare.add_argument(
        '--line',
        nargs='+',
        default=[],
        metavar='NAME=DUMP[,DUMP…]',
        help='models that lose nothing, such as a student of RGB; drawn as flat lines',
    )
    compare.add_argument('--out', required=True, help='folder of the tables; replaced')
    compare.add_argument('--resamples', type=RESAMPLES, default=10_000, help='of the bootstrap')
    return parser.parse_args(argv)


def load_model(args: argparse.Namespace) -> tuple[Runner, FusionRecognizer]:
    """The runner of a config's test, and the fusion model in it, with its weights.

    Raises:
        ValueError: The model is no fusion model, or the config has no test.
    """
    cfg: Config = load_config(args.config, args.cfg_options)
    if not cfg.get('test_dataloader') or not cfg.get('test_evaluator'):
        raise ValueError(f'{args.config} has no test_dataloader or test_evaluator; add both.')
    cfg.work_dir = args.work_dir or str(Path(args.out) / 'log')
    cfg.resume = False
    cfg.load_from = find_file(args.checkpoint, 'checkpoint', 'give the path of yours')
    runner = TestRunner.from_cfg(adapt_to_cpu(cfg))
    recognizer = getattr(runner.model, 'recognizer', runner.model)
    if not isinstance(recognizer, FusionRecognizer):
        raise ValueError(
            f'{args.config} has a {type(recognizer).__name__}, which reads one modality: subsets '
            'are for a mmdistill.FusionRecognizer.'
        )
    keep_views(recognizer)
    check_run(runner, test=True)
    runner.load_or_resume()
    return runner, recognizer


@torch.no_grad()
def test_subsets(runner: Runner, recognizer: FusionRecognizer, out: Path) -> list[Path]:
    """Write a dump for every subset of the modalities; the extractors see each clip once.

    A clip that has nothing of a subset is predicted from what stands for missing modalities.
    """
    names = recognizer.modalities
    dumps = {s: DumpScores(str(out / f'{subset_name(s)}.npz')) for s in subsets_of(names)}
    loader = runner.test_loop.dataloader
    runner.model.eval()
    for batch in track(loader, 'Batches'):
        data = runner.model.data_preprocessor(batch, False)
        present_BM = data['inputs'][PRESENT]
        tokens = recognizer.tokens(data['inputs'])
        for subset, dump in dumps.items():
            kept_M = present_BM.new_tensor([name in subset for name in names])
            streams = recognizer.fuse(tokens, present_BM & kept_M)
            samples = recognizer.cls_head.predict(streams, data['data_samples'])
            dump.process({}, [sample.to_dict() for sample in samples])
    for dump in dumps.values():
        dump.evaluate(len(loader.dataset))
    return [Path(dump.out) for dump in dumps.values()]


def named_folders(texts: Sequence[str]) -> dict[str, list[str]]:
    """Name of each model to its folders; by default the name of the first.

    Raises:
        ValueError: Two models have one name.
    """
    found: dict[str, list[str]] = {}
    for name, listed in map(named_path, texts):
        folders = listed.split(',')
        name = name or Path(folders[0]).name
        if name in found:
            raise ValueError(
                f'Two models are called {name!r}: give each its own name, NAME=FOLDER.'
            )
        found[name] = folders
    return found


def compare_models(args: argparse.Namespace) -> dict[str, str]:
    """The files of a comparison: name to text."""
    models = load_subsets(named_folders(args.models))
    table = next(iter(models[0].groups.values())).tables[0]
    lines = load_groups(args.line)
    found: dict[str, Any] = {
        'modalities': list(models[0].modalities),
        'num_clips': len(table.sample_ids),
        'num_groups': len(np.unique(table.groups)),
        'tasks': {},
    }
    texts, files = [], {}
    for task in tasks_of(table):
        subsets, drops = compare_subsets(models, task, num_resamples=args.resamples)
        flat = {line.name: float(line.top(task)[1].mean()) for line in lines}
        found['tasks'][task] = {'subsets': subsets, 'drops': drops, 'lines': flat}
        texts.append(missing_markdown(subsets, drops, task))
        texts += [f'{name}, which loses nothing: {100 * x:.1f} %\n' for name, x in flat.items()]
        files[f'missing_{task}.svg'] = missing_plot(drops, task, flat)
    files['missing.md'] = '\n'.join(texts)
    files['missing.json'] = json.dumps(found, indent=2) + '\n'
    return files


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Test, or compare."""
    args = parse_args(argv)
    out = Path(args.out)
    check_output(out, folder=True)
    if args.command == 'test':
        runner, recognizer = load_model(args)
        written = test_subsets(runner, recognizer, out)
        print(f'Wrote {len(written)} dumps into {out}: {", ".join(p.stem for p in written)}.')
        return
    files = compare_models(args)
    for name, text in files.items():
        write_whole(out / name, text.encode())
    print(f'{files["missing.md"]}\nWrote {", ".join(str(out / name) for name in files)}')
