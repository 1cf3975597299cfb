"""What an extraction may write and replace: its own results, and nothing else."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..locks import output_lock
from .jobs import Job, my_jobs
from .manifest import entries_of
from .shares import my_share

# Each lock is an open file, of which a process may have about a thousand.
MOST_LOCKS = 200
FLOW_IMAGE = re.compile(r'frame_\d{10}\.jpg')
ELSEWHERE = 'choose another place for the output'


def check_places(outputs: Iterable[str | Path], inputs: Iterable[str | Path]) -> None:
    """Refuse outputs that are, or contain, what is read or where the user is.

    Raises:
        ValueError: One contains an input, another output, the current or the home folder.
    """
    outputs = [Path(output) for output in outputs]
    taken: dict[Path, str] = {}
    for path in inputs:
        # A link and the file that it leads to.
        for name in {Path(os.path.abspath(path)), Path(path).resolve()}:
            taken.setdefault(name, f'is the input {path}')
            for folder in name.parents:
                taken.setdefault(folder, f'contains the input {path}')
    for what, path in (('current', Path.cwd()), ('home', Path('~').expanduser())):
        for folder in (path.resolve(), *path.resolve().parents):
            taken[folder] = f'is or contains the {what} folder'
    for output in outputs:
        for folder in output.resolve().parents:
            taken.setdefault(folder, f'contains the output {output}')
    for output in outputs:
        if output.resolve() in taken:
            named = f'{str(output)!r} {taken[output.resolve()]}'
            raise ValueError(f'The output {named}: {ELSEWHERE}.')


def check_replaceable(jobs: Iterable[Job], foreign: Callable[[Path], str | None]) -> None:
    """Refuse to replace what the manifest does not know, or what holds anything else.

    Args:
        foreign: Says what of a result is not of our making; None if all is.

    Raises:
        ValueError: Names the first such result; or several ranks run.
    """
    if my_share().count > 1:
        raise ValueError(f'--overwrite cannot be used with several ranks: {ELSEWHERE}.')
    there = [job for job in jobs if os.path.lexists(job.result)]
    entries = entries_of(there)
    for job in there:
        found = 'it is a link' if job.result.is_symlink() else foreign(job.result)
        if found is None and job.name not in entries:
            found = f'{job.manifest} does not know it'
        if found is not None:
            raise not_replaced(job.result, found)


def not_replaced(path: Path, found: str) -> ValueError:
    """The error about something that no extraction has made."""
    return ValueError(
        f'{path} is not replaced, since it may be your own ({found}): {ELSEWHERE}, or move it away.'
    )


def foreign_in_flow(folder: Path) -> str | None:
    """What a folder holds beside the files of a flow extraction; None if there is nothing."""
    if not folder.is_dir():
        return 'it is no folder'
    for path in folder.iterdir():
        if path.name in ('u', 'v') and path.is_dir() and not path.is_symlink():
            others = [name for name in os.listdir(path) if not FLOW_IMAGE.fullmatch(name)]
            if others:
                return f'it holds {path.name}/{others[0]}'
        elif path.name != 'flow.json' or path.is_dir():
            return f'it holds {path.name}'
    return None


def foreign_file(path: Path) -> str | None:
    """Why a result is no file; None if it is one."""
    return None if path.is_file() else 'it is no file'


@contextmanager
def locked_outputs(jobs: Sequence[Job]) -> Iterator[None]:
    """Hold the folders of all results for this run, and tidy up after one that was killed.

    Raises:
        OutputInUseError: Another run writes to one of them.
    """
    folders = sorted({job.result.parent.absolute() for job in jobs})
    if len(folders) > MOST_LOCKS:
        folders = [Path(os.path.commonpath(folders))]
    with ExitStack() as held:
        for folder in folders:
            held.enter_context(output_lock(folder, inside='extraction', share=my_share()))
        for job in my_jobs(jobs):
            job.tidy()
        yield
