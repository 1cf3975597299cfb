"""One stage of a chain: a command, what it reads and writes, and the stamp that says it is done.

A stamp holds the command, a digest of every input and the identity of the runs it built on. A stage
counts as finished only while all of them are what they were, so a changed config, seed or upstream
stage leads to a new run of exactly what depends on it.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..files import find_file, matches, remove, write_whole


@dataclass(frozen=True)
class OneFile:
    """An argument that is known only when the stage starts: the one file a pattern matches."""

    pattern: str

    def resolve(self) -> str:
        """Return the path.

        Raises:
            FileNotFoundError: if the pattern matches no file, or several.
        """
        return find_file(
            self.pattern, 'output', f'move {Path(self.pattern).parent} away and run again'
        )

    def __str__(self) -> str:
        return self.pattern


@dataclass(frozen=True)
class Stage:
    """A command of a chain.

    Args:
        name: Unique in its chain; also names its log and stamp.
        command: Arguments after the Python interpreter. `{workers}` becomes the number of cores
            the stage may use, an `OneFile` the file it matches.
        home: Folder that receives `logs/<name>.log` and `stamps/<name>.json`.
        needs: Names of the stages that must be finished before.
        inputs: Files whose content matters; configs count with all their bases.
        outputs: Files that must exist afterwards, as glob patterns.
        owned: Files and folders that only this stage writes. They are removed before it starts
            from scratch, so that nothing of an older run with other settings is mixed in.
        resume: Arguments added when an interrupted run is continued, for tools that do not
            continue by themselves.
    """

    name: str
    command: tuple[str | OneFile, ...]
    home: Path
    needs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()

    @property
    def log(self) -> Path:
        """Where everything the command prints goes."""
        return self.home / 'logs' / f'{self.name}.log'

    @property
    def stamp(self) -> Path:
        """Written when the stage has succeeded."""
        return self.home / 'stamps' / f'{self.name}.json'

    @property
    def start_mark(self) -> Path:
        """Written when the stage starts: tells an interrupted run from a new one."""
        return self.home / 'stamps' / f'{self.name}.started.json'

    def identity(self, runs: dict[str, str]) -> dict[str, Any]:
        """All that decides the result: the command, the inputs and the runs it builds on.

        Args:
            runs: Stage name to identity of its finished run (see `run_id`).
        """
        return {
            'command': [str(part) for part in self.command],
            'inputs': {path: content_digest(Path(path)) for path in self.inputs},
            'needs': {name: runs[name] for name in self.needs},
        }

    def missing_outputs(self) -> list[str]:
        """Patterns of `outputs` that match nothing."""
        return [pattern for pattern in self.outputs if not matches(pattern)]

    def check_owned(self) -> None:
        """Refuse to remove what no run of this stage has written.

        Raises:
            FileExistsError: Something is there, and the stage has never run.
        """
        found = [] if self.stamp.exists() or self.start_mark.exists() else self._written()
        if found:
            raise FileExistsError(
                f"{found[0]} is there already, but stage '{self.name}' has never run in "
                f'{self.home}: choose another place, or move it away.'
            )

    def clear(self) -> None:
        """Remove everything that only this stage writes."""
        for path in self._written():
            remove(path)

    def _written(self) -> list[Path]:
        return [path for pattern in self.owned for path in matches(pattern)]


def content_digest(path: Path) -> str:
    """SHA-256 of a file; of a config, of what it says together with all its bases."""
    if path.suffix == '.py':
        content = repr(Config.fromfile(path, lazy_import=False).to_dict()).encode()
    else:
        content = path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None where the file is missing or cut short."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write atomically: a reader sees the old file or the new one, never a part."""
    write_whole(path, (json.dumps(value, indent=2) + '\n').encode())


def run_id(stamp: dict[str, Any]) -> str:
    """Identity of a finished run, for the stages that build on it.

    The finishing time belongs to it: whoever repeats a stage has new outputs, and what was built
    on the old ones is out of date.
    """
    content = json.dumps([stamp['identity'], stamp['finished']], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def finished_stamp(stage: Stage, runs: dict[str, str]) -> dict[str, Any] | None:
    """The stamp of a stage that need not run again, or None."""
    stamp = read_json(stage.stamp)
    if stamp is None or any(name not in runs for name in stage.needs) or stage.missing_outputs():
        return None
    return stamp if stamp.get('identity') == stage.identity(runs) else None


def finished_runs(stages: list[Stage]) -> dict[str, str]:
    """Name to identity of the run, of every stage that is up to date.

    Args:
        stages: In an order that respects `needs`.
    """
    runs: dict[str, str] = {}
    for stage in stages:
        stamp = finished_stamp(stage, runs)
        if stamp is not None:
            runs[stage.name] = run_id(stamp)
    return runs


def is_finished(stages: list[Stage]) -> bool:
    """Whether every stage (given in an order that respects `needs`) is up to date."""
    return len(finished_runs(stages)) == len(stages)
