"""The console command: `mmdistill train CONFIG`; `mmdistill --help` lists what there is."""

import ast
import difflib
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .extras import require

COMMANDS = Path(__file__).with_name('commands')
# The extra that a command needs as a whole, and what that brings.
EXTRAS = {'extract-detections': ('detect', 'mmdet', 'mmcv._ext'), 'report': ('report', 'jinja2')}


def commands() -> dict[str, str]:
    """The names of all commands and what each is for, read without importing them."""
    files = sorted(path for path in COMMANDS.glob('*.py') if path.stem != '__init__')
    return {path.stem.replace('_', '-'): _purpose(path) for path in files}


def main(argv: Sequence[str] | None = None) -> object:
    """Run one of the commands; returns its exit code.

    Raises:
        SystemExit: There is no such command, or it needs what is not installed.
    """
    name, *words = list(sys.argv[1:] if argv is None else argv) or ['--help']
    if name in ('-h', '--help'):
        print(_help())
        return 0
    if name == '--version':
        print(f'mmdistill {__version__}')
        return 0
    if name not in commands():
        near = difflib.get_close_matches(name.replace('_', '-'), commands(), n=3, cutoff=0.5)
        advice = f'did you mean {" or ".join(near)}?' if near else 'see mmdistill --help.'
        print(f'error: mmdistill has no command {name!r}: {advice}', file=sys.stderr)
        raise SystemExit(2)
    try:
        require(*EXTRAS.get(name, ('',)))
    except ImportError as error:
        print(f'error: {error}', file=sys.stderr)
        raise SystemExit(1) from None
    # What argparse and the locks show as the program.
    sys.argv = [f'mmdistill {name}', *words]
    return importlib.import_module(f'mmdistill.commands.{name.replace("-", "_")}').main()


def _purpose(path: Path) -> str:
    """The first line of a module's docstring, without the example that may follow a colon."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding='utf-8'))) or ''
    return text.partition('\n')[0].partition(': `')[0].rstrip('.')


def _help() -> str:
    width = max(map(len, commands()))
    lines = [f'  {name:{width}}  {purpose}' for name, purpose in commands().items()]
    return '\n'.join(
        [
            'usage: mmdistill COMMAND ...',
            '',
            'Multimodal distillation for action recognition. The commands, each with its --help:',
            '',
            *lines,
        ]
    )
