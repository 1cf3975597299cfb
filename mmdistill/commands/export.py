"""Export a published model to ONNX, and compare it with PyTorch.

    mmdistill export student.safetensors --out student.onnx --check clips/*.mp4

Frames go in as uint8, normalisation is in the graph, the batch is dynamic. `load_model`
and `mmdistill predict` take the exported file like a published one. --check runs both on the same
videos: largest difference of a logit, predictions that agree, and time per clip, in turns.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..deploy import load_model, read_published
from ..deploy.comparison import compare_networks, comparison_lines
from ..deploy.inferencer import build_network
from ..deploy.onnx_network import export_onnx, is_exported
from ..deploy.published import check_replaceable
from ..deploy.sources import video_paths
from ..places import check_output
from ..ranges import ONE_OR_MORE, POSITIVE
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('model', type=Path, help='what mmdistill publish wrote')
    parser.add_argument(
        '--out', required=True, type=Path, help='FILE.onnx; one of ours is replaced'
    )
    parser.add_argument('--check', nargs='+', metavar='VIDEO', help='compare on these videos')
    parser.add_argument(
        '--tolerance', type=POSITIVE, default=1e-3, help='largest difference of a logit'
    )
    parser.add_argument('--rounds', type=ONE_OR_MORE, default=20, help='timed runs of --check')
    args = parser.parse_args(argv)
    if args.out.suffix != '.onnx':
        parser.error(f'--out must end with .onnx, got {args.out}')
    return args


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Export, then compare where asked."""
    args = parse_args(argv)
    videos = video_paths(args.check) if args.check else []
    check_output(args.out, inputs=[args.model, *videos])
    check_replaceable(args.out, is_exported(args.out))
    described, weights = read_published(args.model)
    export_onnx(described, build_network(described, weights, args.model), args.out)
    print(f'Wrote {args.out}')
    if not videos:
        return
    models = [load_model(path, 'cpu') for path in (args.model, args.out)]
    found = compare_networks(models[0], models[1], videos, args.rounds)
    print('\n'.join(comparison_lines(found)))
    if found.largest_difference > args.tolerance or found.agreement < 1:
        sys.exit(
            f'error: {args.out} differs from {args.model}: a logit by '
            f'{found.largest_difference:.2g} (--tolerance {args.tolerance:g}), and '
            f'{100 * found.agreement:.1f} % of the predictions are the same.'
        )
