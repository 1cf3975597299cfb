"""A reduced train and test of every config in configs/unimodal, configs/fusion and configs/distill.

    make reduced
    make reduced ARGS='--only swin_ek100'

Miniatures of EPIC-KITCHENS-100, Something-Something V2 and Something-Else are written first, in the
layouts in which their owners publish them. The experts are trained before the students, which learn
from them. Sizes are tiny: it shows that everything fits together, not how good anything is.
"""

import argparse
import shutil
import time
import warnings
from pathlib import Path

import torch
from mmengine.registry import init_default_scope
from reduced import DISTILL, FUSION, ROOT, UNIMODAL, run_reduced, write_miniatures

import mmdistill  # noqa: F401  (repairs upstream first)

ROW = '{:38} {:>10} {:>9} {:>8}'


def anew(folder: Path) -> Path:
    """The folder, without what an earlier walk left there."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def main() -> int:
    """Run them one after the other, a line each; exit code 1 if one fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--only', default='', help='configs whose name contains this text')
    parser.add_argument('--out-dir', type=Path, default=ROOT / 'work_dirs/reduced')
    args = parser.parse_args()
    warnings.filterwarnings('ignore')
    torch.set_num_threads(1)
    init_default_scope('mmaction')
    miniatures = write_miniatures(anew(args.out_dir / 'data'))
    chosen = [path for path in [*UNIMODAL, *FUSION, *DISTILL] if args.only in path.stem]
    rows, failed = [], 0
    for path in chosen:
        began, work_dir = time.time(), anew(args.out_dir / path.stem)
        try:
            result = run_reduced(path.relative_to(ROOT), miniatures, work_dir)
            outcome = (result.iterations, f'{result.metrics["acc/action/top1"]:.3f}')
        except (Exception, SystemExit) as error:
            outcome, failed = ('FAILED', str(error)[:200]), failed + 1
        rows.append((path.stem, *outcome, f'{time.time() - began:.0f} s'))
        print(ROW.format(*rows[-1]), flush=True)  # among the logs; all of them again at the end
        if path in DISTILL:
            for checkpoint in work_dir.glob('*.pth'):
                checkpoint.unlink()
    print(ROW.format('config', 'iterations', 'action', 'time'))
    for row in rows:
        print(ROW.format(*row))
    print(f'{len(rows) - failed} of {len(rows)} configs were trained and tested.')
    return int(failed > 0)


if __name__ == '__main__':
    raise SystemExit(main())
