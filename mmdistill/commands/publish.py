"""Write a student as one file that predicts anywhere, and a model card beside it.

    mmdistill publish configs/student.py 'work_dirs/student/best_*.pth' --out student.safetensors \\
        --metrics work_dirs/test/student/metrics.json --holdout holdout.npz

The file holds weights, network, sampling, preprocessing, class names and temperatures, and nothing
that is executed. --holdout fits the temperatures on a dump of `mmdistill test --holdout --dump`.
--to-mmaction2 writes a config and a checkpoint that MMAction2 runs without mmdistill.
"""

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config

from ..config_options import KeyValues
from ..deploy import publish_model, write_published
from ..deploy.card import BEGINNING, model_card
from ..deploy.described import check_replaceable
from ..deploy.published import is_published
from ..deploy.stock import stock_config
from ..evaluation.score_groups import checked_scores_of
from ..files import find_file, read_json, write_whole
from ..metrics import fit_temperatures
from ..models.temperature import read_temperatures
from ..places import check_output
from ..user_errors import one_line_errors

STOCK_FILES = ('config.py', 'checkpoint.pth')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='of the training')
    parser.add_argument('checkpoint', help='of it; the best one')
    parser.add_argument(
        '--out', required=True, type=Path, help='FILE.safetensors; one of ours is replaced'
    )
    parser.add_argument('--metrics', help='metrics.json of mmdistill test, for the model card')
    fitted = parser.add_mutually_exclusive_group()
    fitted.add_argument('--holdout', metavar='FILE.npz', help='fit the temperatures on this dump')
    fitted.add_argument('--temperatures', metavar='FILE', help='of mmdistill temperature-scaling')
    parser.add_argument('--licence', default='', help='of the weights, such as Apache-2.0')
    parser.add_argument(
        '--to-mmaction2', type=Path, metavar='FOLDER', help='also MMAction2 config and checkpoint'
    )
    parser.add_argument('--cfg-options', nargs='+', action=KeyValues, default={})
    args = parser.parse_args(argv)
    if args.out.suffix != '.safetensors':
        parser.error(f'--out must end with .safetensors, got {args.out}')
    return args


def temperatures_of(args: argparse.Namespace) -> dict[str, float] | None:
    """Those that the command line asks for; None where it does not."""
    if args.holdout:
        return fit_temperatures(checked_scores_of(args.holdout))
    return read_temperatures(args.temperatures) if args.temperatures else None


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Publish."""
    args = parse_args(argv)
    args.checkpoint = find_file(args.checkpoint, 'checkpoint', 'give the path of yours')
    inputs = [args.config, args.checkpoint, args.metrics, args.holdout, args.temperatures]
    check_output(args.out, inputs=inputs)
    card = args.out.with_suffix('.md')
    check_replaceable(args.out, is_published(args.out))
    check_replaceable(card, card.is_file() and BEGINNING in card.read_text(errors='replace'))
    if args.to_mmaction2:
        check_output(args.to_mmaction2, folder=True, inputs=inputs)
        for name in STOCK_FILES:
            check_replaceable(args.to_mmaction2 / name, False)
    advice = 'give what mmdistill test --out wrote'
    metrics = read_json(args.metrics, dict, advice) if args.metrics else None
    described, weights = publish_model(
        args.config,
        args.checkpoint,
        temperatures_of(args),
        metrics,
        args.licence,
        args.cfg_options,
    )
    described = write_published(args.out, described, weights)
    write_whole(card, model_card(described, args.out.name).encode())
    print(f'Wrote {args.out} and {card}')
    if set(described.temperatures.values()) == {1.0}:
        print(
            'warning: no temperatures were given, so its probabilities are as the training left '
            'them: --holdout fits some.'
        )
    if args.to_mmaction2:
        config = Config(stock_config(described), format_python_code=False)
        content = io.BytesIO()
        torch.save(dict(state_dict=weights, meta={}), content)
        contents = (f'{config.pretty_text}\n'.encode(), content.getvalue())
        for name, written in zip(STOCK_FILES, contents, strict=True):
            write_whole(args.to_mmaction2 / name, written)
        print(f'Wrote {args.to_mmaction2}/config.py and checkpoint.pth')
