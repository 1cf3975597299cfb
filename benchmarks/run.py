"""Measure: `python -m benchmarks.run [PART …]`, all parts by `make bench`.

Every part times contenders against each other in one run, in turns. It prints its section and
stores it below work_dirs/benchmarks; `--write` puts all sections that are there into
benchmarks/results.md.
"""

import argparse
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import mmdistill  # noqa: F401  (repairs upstream first)

from .machine import describe, load
from .report import Section
from .sizes import FULL, TINY

PARTS = (
    'step_live',
    'step_cached',
    'ten_students',
    'loading',
    'memory',
    'scaling',
    'decoding',
    'fusion',
    'predicting',
)
FOLDER = Path('work_dirs/benchmarks')
RESULTS = Path(__file__).parent / 'results.md'


def measure(part: str, folder: Path, size=FULL) -> str:
    """Run one part; returns its section as Markdown."""
    began, before = time.time(), load()
    section: Section = importlib.import_module(f'.{part}', __package__).run(size, folder)
    minutes = (time.time() - began) / 60
    heading = f'{section.key}. {section.title}' if section.key else section.title
    when = time.strftime('%Y-%m-%d %H:%M', time.gmtime(began))
    remark = f'*`python -m benchmarks.run {part}`, {when} UTC, {minutes:.1f} min; {before}.*'
    return f'## {heading}\n\n{section.text}\n\n{remark}\n'


def page(sections: dict[str, str]) -> str:
    """The whole results page, of the parts that have been measured."""
    head = (
        '# Benchmarks: results\n\n'
        'Written by `make bench`; what is measured against what, and why, is in '
        '[docs/speed.md](../docs/speed.md). Medians, and in brackets the quartiles; contenders '
        'take turns in one run, and a ratio is the median of the ratios within a round. Where the '
        'load average is above 1 others shared the processor: then processor time says more.\n\n'
    )
    missing = [f'`{part}`' for part in PARTS if part not in sections]
    rest = f'Not measured yet: {", ".join(missing)}.\n' if missing else ''
    return head + describe() + '\n\n' + '\n'.join([*sections.values(), rest]).rstrip() + '\n'


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the parts asked for."""
    parser = argparse.ArgumentParser(description='Measure what mmdistill costs.')
    parser.add_argument('parts', nargs='*', metavar='PART', help=f'of {", ".join(PARTS)}')
    parser.add_argument('--write', action='store_true', help=f'write {RESULTS.name}')
    parser.add_argument('--tiny', action='store_true', help='see whether all works, in seconds')
    args = parser.parse_args(argv)
    unknown = sorted(set(args.parts) - set(PARTS))
    if unknown:
        parser.error(f'there is no part {unknown[0]!r}; the parts are {", ".join(PARTS)}')
    os.chdir(Path(__file__).parents[1])  # configs name each other from the root
    folder = FOLDER / 'tiny' if args.tiny else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    parts = args.parts or PARTS
    for part in parts:
        if len(parts) > 1:  # each in a process of its own
            flags = ['--tiny'] if args.tiny else []
            command = [sys.executable, *_warnings(), '-m', __spec__.name, part, *flags]
            subprocess.run(command, check=True)
            continue
        text = measure(part, folder, TINY if args.tiny else FULL)
        (folder / f'{part}.md').write_text(text)
        print(text, flush=True)
    if args.write:
        found = {part: folder / f'{part}.md' for part in PARTS}
        RESULTS.write_text(page({p: x.read_text() for p, x in found.items() if x.exists()}))


def _warnings() -> list[str]:
    """The flags `-W` of this process."""
    return [flag for option in sys.warnoptions for flag in ('-W', option)]


if __name__ == '__main__':
    main()
