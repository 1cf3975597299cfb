"""Look at the data that a config will read, before a training does.

    mmdistill check configs/distill/swin_ek100_rgbflowobj.py --num 500

Prints every problem with its clip and file, counts of clips and classes, and the size of the
holdout; writes contact_sheet.png (flow and boxes over RGB: look whether they fit) and check.json.
Exit code 1 if anything is wrong.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import track

from ..config_options import KeyValues
from ..config_tools import load_config
from ..config_usage import unused_entries
from ..evaluation.contact_sheet import contact_sheet
from ..extraction.check_data import DataReport, plan_check, run_check, seen_lines, summary_lines
from ..extraction.shares import default_workers
from ..files import write_whole
from ..places import check_output
from ..ranges import COUNT, SEED
from ..user_errors import one_line_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of the config file')
    parser.add_argument(
        '--num',
        type=COUNT,
        help='clips per loader, drawn at random; 0 looks at annotations alone; default all',
    )
    parser.add_argument('--seed', type=SEED, default=0, help='of that draw')
    parser.add_argument(
        '--frames', type=COUNT, default=8, help='frames decoded per clip, first to last; 0: all'
    )
    parser.add_argument('--sheet-clips', type=COUNT, default=4, help='clips drawn per loader')
    parser.add_argument('--workers', type=COUNT, default=default_workers(), help='0: no subprocess')
    parser.add_argument('--out-dir', type=Path, help='default work_dirs/check/<config name>')
    parser.add_argument('--cfg-options', nargs='+', action=KeyValues, help='as of mmdistill train')
    return parser.parse_args(argv)


def walk(report: DataReport, frames: int, workers: int) -> None:
    total = sum(len(plan.records) for plan in report.plans)
    done = run_check(report, frames, workers)
    console = Console(stderr=True)
    # `track` counts what it is given, and a video brings several clips at once.
    steps = (1 for clips in done for _ in range(clips))
    for _ in track(steps, f'{total} clips', total, console=console):
        pass


def draw_sheet(report: DataReport, clips_per_loader: int, path: Path) -> None:
    # A clip that cannot be read is named already, and decoding it might end this process.
    unreadable = {(problem.loader, problem.sample_id) for problem in report.problems}
    rows = []
    for plan in report.plans:
        sound = [r for r in plan.records if (plan.name, r['sample_id']) not in unreadable]
        chosen = sound[:: max(1, len(sound) // max(1, clips_per_loader))][:clips_per_loader]
        clips = [(f'{plan.name}: {r["sample_id"]}', plan.complete(r)) for r in chosen]
        rows += [contact_sheet([clip], plan.modalities) for clip in clips]
    if not rows:
        return
    width = max(row.shape[1] for row in rows)
    rows = [
        cv2.copyMakeBorder(
            row, 0, 0, 0, width - row.shape[1], cv2.BORDER_CONSTANT, value=(255,) * 3
        )
        for row in rows
    ]
    _, image = cv2.imencode('.png', cv2.cvtColor(cv2.vconcat(rows), cv2.COLOR_RGB2BGR))
    write_whole(path, image.tobytes())
    print(f'{path}: {len(rows)} clips; look whether flow and boxes lie on what moves.')


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Check, print, draw."""
    args = parse_args(argv)
    cfg = load_config(args.config, args.cfg_options)
    out = args.out_dir or Path('work_dirs/check') / Path(args.config).stem
    check_output(out, folder=True)
    report = plan_check(cfg, args.num, args.seed)
    walk(report, args.frames, args.workers)
    print(*summary_lines(report), 'What a model sees:', *seen_lines(report), sep='\n')
    for sentence in unused_entries(cfg, args.cfg_options or ()):
        print(f'warning: {sentence}')
    draw_sheet(report, args.sheet_clips, out / 'contact_sheet.png')
    write_whole(out / 'check.json', json.dumps(report.as_dict(), indent=1).encode())
    for problem in report.problems:
        print(f'PROBLEM {problem}')
    looked = f'{report.num_checked} clips were looked at'
    if args.num == 0:
        looked = 'the annotations were read, no clip was looked at'
    print(f'{len(report.problems)} problems; {looked}.' if report.problems else f'Fine: {looked}.')
    return int(bool(report.problems))
