"""The tools as modules, by the paths of their files."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


@cache
def load_program(tool: str) -> ModuleType:
    """The module that has a tool's `main`: that of the command, or the file itself."""
    path = ROOT / tool
    command = ROOT / f'mmdistill/commands/{path.stem}.py'
    if path.is_relative_to(ROOT / 'tools') and command.exists():
        return importlib.import_module(f'mmdistill.commands.{path.stem}')
    if path.is_relative_to(ROOT / 'projects'):
        return importlib.import_module('.'.join(path.relative_to(ROOT).with_suffix('').parts))
    spec = importlib.util.spec_from_file_location(f'program_{path.stem}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
