"""Where the files are that a config names: beside it, in its project, or `mmdistill::…`.

A relative path in a config is looked for in the folder of the config, then in the folders above it
as far as the root of its project, the nearest with one of `ROOT_MARKS`; and then so for each of its
bases. The folder in which somebody happens to stand does not matter: only paths of the command line
begin there. What exists nowhere is meant to be below the root.
"""

from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .files import matches

PREFIX = 'mmdistill::'
ROOT_MARKS = ('.mmdistill', '.git', 'pyproject.toml', 'setup.py', 'setup.cfg')
# The keys of a config whose value is a path, wherever they stand.
PATH_KEYS = ('data_root', 'config', 'checkpoint', 'load_from', 'teacher_cache', 'folder')


def config_file(path: str | Path, what: str = 'config') -> Path:
    """The file of a config: `mmdistill::distill/….py` is one that the package brings.

    Raises:
        FileNotFoundError: There is no such file.
    """
    name = str(path)
    if name.startswith(PREFIX):
        found = own_configs() / name.removeprefix(PREFIX)
        if not found.is_file():
            raise FileNotFoundError(
                f'There is no {what} {name!r} among those of the package; give one of them, or the '
                'path of a .py file.'
            )
        return found
    if not Path(path).is_file():
        raise FileNotFoundError(f'There is no {what} {name!r}; give the path of a .py file.')
    return Path(path)


def own_configs() -> Path:
    """The folder of the configs that come with the package."""
    return Path(__file__).parent / '.mim/configs'


class Places:
    """The folders in which relative paths of a config are looked for.

    Args:
        config: The file that is read, or its `mmdistill::` name.

    Raises:
        FileNotFoundError: There is no such file.
    """

    def __init__(self, config: str | Path) -> None:
        self.file = config_file(config)
        self.ours = str(config).startswith(PREFIX)

    @cached_property
    def root(self) -> Path:
        """The root of the config's project; without one, and of our own configs, where we stand."""
        return self.project or Path.cwd()

    @cached_property
    def project(self) -> Path | None:
        """The root of the project that the config belongs to, if it is in one."""
        return None if self.ours else _project(self.file.absolute())

    @cached_property
    def folders(self) -> list[Path]:
        """All of them, in the order in which they are looked into."""
        files = [Path(file).absolute() for file in _with_bases(str(self.file))]
        found = [folder for file in files for folder in _above(file)]
        return list(dict.fromkeys([self.root, *found] if self.ours else found))

    def find(self, path: str) -> str:
        """A relative path as one that leads there from where we stand; others as they are."""
        if not path or '::' in path or '://' in path or Path(path).expanduser().is_absolute():
            return path
        place = next((folder for folder in self.folders if matches(folder / path)), self.root)
        return self._shown(place, path)

    def output(self, path: str | Path) -> str:
        """A relative path of something that will be written, below the root of the project."""
        return self._shown(self.root, str(path))

    def _shown(self, place: Path, path: str) -> str:
        if (place / path).resolve() == Path(path).resolve():
            return path  # shorter, for who stands in the right folder
        return str(place / path) + '/' * path.endswith('/')


def with_paths(node: Any, places: Places, keys: Collection[str]) -> Any:
    """A part of a config in which the paths that stand under these keys lead to their files."""
    if isinstance(node, dict):
        return type(node)(
            {
                key: places.find(value)
                if key in keys and isinstance(value, str)
                else with_paths(value, places, keys)
                for key, value in node.items()
            }
        )
    if isinstance(node, (list, tuple)):
        return type(node)(with_paths(value, places, keys) for value in node)
    return node


def _with_bases(config: str) -> Iterator[str]:
    """A config file and all that it inherits from, nearest first."""
    waiting = [config]
    while waiting:
        file = waiting.pop(0)
        yield file
        for base in Config._get_base_files(file):
            waiting.append(Config._get_cfg_path(base, file)[0])


def _above(file: Path) -> list[Path]:
    """The folder of a file and those above it, as far as the root of its project."""
    folders, root = list(file.parents), _project(file)
    if 'site-packages' in file.parts:  # of a package: what lies above is not about it
        return folders[:1]
    return folders[: folders.index(root) + 1] if root else folders


def _project(file: Path) -> Path | None:
    """The nearest folder above a file that is the root of a project."""
    return next((x for x in file.parents if any((x / mark).exists() for mark in ROOT_MARKS)), None)
