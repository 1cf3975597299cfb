"""Export a published model to ONNX, OpenVINO or torch.export, and compare it with PyTorch.

    mmdistill export student.safetensors --out student.onnx --check configs/student.py
    mmdistill export student.safetensors --out student.xml --precision int8 --calib clips/*.mp4

Frames go in as uint8, normalisation is in the graph, the batch is dynamic. `load_model`,
`mmdistill predict` and `mmdistill test` take the exported file like a published one. --check runs
both on the same videos, or on the test clips of a config: largest difference of a logit,
predictions that agree, accuracy, NLL and ECE with intervals, and time per clip, in turns.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..deploy import load_model, read_published
from ..deploy.clips import ClipReader
from ..deploy.comparison import (
    NetworkComparison,
    call_times,
    compare_dumps,
    compare_on_videos,
    comparison_lines,
)
from ..deploy.described import PublishedModel, check_replaceable
from ..deploy.sources import VideoSource, video_paths
from ..deploy.torch_network import build_network
from ..deploy.view_network import example_clip
from ..deploy.views import as_views
from ..extras import require
from ..places import check_output
from ..ranges import ONE_OR_MORE, POSITIVE
from ..user_errors import one_line_errors
from .test import main as run_test

SUFFIXES = {'onnx': '.onnx', 'openvino': '.xml', 'torch-export': '.pt2'}
PRECISIONS = ('fp32', 'fp16', 'int8')
# Largest difference of a logit; int8 is judged by its metrics.
TOLERANCES = {'fp32': 1e-3, 'fp16': 0.1}


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('model', type=Path, help='what mmdistill publish wrote')
    parser.add_argument(
        '--out',
        required=True,
        type=Path,
        help='FILE.onnx, FILE.xml or FILE.pt2; one of ours is replaced',
    )
    parser.add_argument('--format', choices=list(SUFFIXES), help='default: by the ending of --out')
    parser.add_argument('--precision', choices=PRECISIONS, default='fp32')
    parser.add_argument(
        '--calib', nargs='+', metavar='VIDEO', help='of int8: training videos for the ranges'
    )
    parser.add_argument(
        '--check', nargs='+', metavar='VIDEO', help='compare on these, or on a CONFIG.py'
    )
    parser.add_argument('--cfg-options', nargs='+', help='of the config of --check: key=value')
    parser.add_argument(
        '--tolerance',
        type=POSITIVE,
        help='largest difference of a logit; default: 0.001, fp16 0.1, int8 any',
    )
    parser.add_argument('--rounds', type=ONE_OR_MORE, default=20, help='timed runs of --check')
    args = parser.parse_args(argv)
    by_suffix = {suffix: name for name, suffix in SUFFIXES.items()}
    args.format = args.format or by_suffix.get(args.out.suffix)
    if SUFFIXES.get(args.format) != args.out.suffix:
        endings = ', '.join(f'{suffix} ({name})' for name, suffix in SUFFIXES.items())
        parser.error(f'--out must end with {endings}, got {args.out}')
    if args.calib and args.precision != 'int8':
        parser.error('--calib measures ranges for --precision int8: give that, too')
    if args.precision == 'int8' and args.format == 'torch-export':
        parser.error('--precision int8 is for onnx and openvino')
    return args


def ways(name: str) -> tuple[Callable[..., None], Callable[[Path], bool]]:
    """How a format is written, and whether a file is one of ours in it."""
    if name == 'onnx':
        from ..deploy.onnx_export import export_onnx, is_exported

        return export_onnx, is_exported
    if name == 'openvino':
        from ..deploy.openvino_export import export_openvino, is_openvino

        return export_openvino, is_openvino
    from ..deploy.torch_program import export_program, is_program

    return export_program, is_program


def calibration_views(described: PublishedModel, videos: Sequence[str]) -> list[np.ndarray]:
    """The views of videos, as the network takes them."""
    reader, found = ClipReader(described.clip), []
    for path in video_paths(videos):
        source = VideoSource(path)
        inputs = reader.inputs(source.read, 0, source.num_frames, source.name)
        found.append(as_views(inputs, described))
    return found


def check(args: argparse.Namespace) -> NetworkComparison:
    """Compare the exported model with the published one."""
    if Path(args.check[0]).suffix != '.py':
        first, second = (load_model(path, 'cpu') for path in (args.model, args.out))
        return compare_on_videos(first, second, video_paths(args.check), args.rounds)
    [config] = args.check
    with tempfile.TemporaryDirectory() as folder:
        dumps = [f'{folder}/before.npz', f'{folder}/after.npz']
        for path, dump in zip((args.model, args.out), dumps, strict=True):
            place = ['--dump', dump, '--work-dir', f'{folder}/log']
            options = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
            run_test([config, str(path), *place, *options])
        found = compare_dumps(*dumps)
    first, second = (load_model(path, 'cpu') for path in (args.model, args.out))
    times = call_times(first, second, example_clip(first.described), args.rounds)
    return found._replace(milliseconds=times)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Export, then compare where asked."""
    args = parse_args(argv)
    configs = [x for x in args.check or () if Path(x).suffix == '.py']
    if configs and len(args.check) > 1:
        raise ValueError('--check takes one CONFIG.py, or videos.')
    if configs:
        require('report', 'scipy')  # for the intervals: said before the export, not after it
    videos = video_paths(args.check) if args.check and not configs else []
    check_output(args.out, inputs=[args.model, *videos, *configs])
    write, is_ours = ways(args.format)
    ours = is_ours(args.out)
    check_replaceable(args.out, ours)
    if args.format == 'openvino':  # its weights are in a file of their own
        check_replaceable(args.out.with_suffix('.bin'), ours)
    described, weights = read_published(args.model)
    network = build_network(described, weights, args.model)
    given = dict(precision=args.precision)
    views = calibration_views(described, args.calib or ())
    write(described, network, args.out, **given, **({'views': views} if views else {}))
    print(f'Wrote {args.out} ({args.out.stat().st_size / 1e6:.1f} MB)')
    if not args.check:
        return
    found = check(args)
    print('\n'.join(comparison_lines(found)))
    most = args.tolerance or TOLERANCES.get(args.precision, float('inf'))
    differs = args.precision == 'fp32' and found.agreement < 1
    if found.largest_difference > most or differs:
        sys.exit(
            f'error: {args.out} differs from {args.model}: a logit by '
            f'{found.largest_difference:.2g} (--tolerance {most:g}), and '
            f'{100 * found.agreement:.1f} % of the predictions are the same.'
        )
