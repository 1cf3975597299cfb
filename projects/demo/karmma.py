"""Train KARMMA, its teacher and its baselines on the demo, and test them on every subset.

    python -m projects.demo.karmma --seeds 3 --out docs/results

Run it again after an interruption: what is finished is kept as long as its command, its config
and what it builds on are the same. Experts and RGB student are those of `projects.demo.results`.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import mmdistill  # noqa: F401  (repairs upstream first)
from mmdistill.files import write_whole
from mmdistill.places import check_output
from mmdistill.ranges import ONE_OR_MORE, SEEDS
from mmdistill.stages import run_chain
from mmdistill.user_errors import one_line_errors

from .chain.demo_chain import DemoSettings
from .chain.karmma_chain import karmma_stages, tables_folder
from .chain.results_chain import ResultsSettings

HEADING = '# Models that lose modalities\n'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    defaults = DemoSettings()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seeds', type=SEEDS, default=3, help='number of seeds: 0, 1, ...')
    parser.add_argument('--work-dir', type=Path, default=ResultsSettings(defaults).work_dir)
    parser.add_argument('--out', type=Path, help='folder of missing.md and the plots')
    parser.add_argument('--demo-dir', type=Path, default=defaults.work_dir)
    parser.add_argument('--data-root', type=Path, default=defaults.data_root)
    parser.add_argument('--jobs', type=ONE_OR_MORE, default=min(2, os.cpu_count() or 1))
    return parser.parse_args(argv)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Run what is not finished, then show the tables."""
    args = parse_args(argv)
    for folder in filter(None, (args.work_dir, args.out)):
        check_output(folder, folder=True)
    demo = DemoSettings(data_root=args.data_root, work_dir=args.demo_dir)
    settings = ResultsSettings(demo, work_dir=args.work_dir, num_seeds=args.seeds)
    run_chain(karmma_stages(settings), args.jobs)
    found = tables_folder(settings)
    text = (found / 'missing.md').read_text(encoding='utf-8')
    print(text)
    if args.out:
        write_whole(args.out / 'missing.md', f'{HEADING}\n{text}'.encode())
        for path in sorted(found.glob('missing_*.svg')):
            write_whole(args.out / path.name, path.read_bytes())


if __name__ == '__main__':
    main()
