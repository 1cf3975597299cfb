"""A bad input of a tool: what is run, what must be said, how it ends and what is left behind.

How to add one: put it into the list `ROWS` of `rows_<topic>.py`, an old file or a new one (300
lines at most); `test_bad_input.py` finds it. For example

    from bad_row import Row

    ROWS = [
        Row('tools/test.py', 'no such checkpoint', 'expert.py gone.pth', 'no checkpoint gone.pth'),
        Row(
            'tools/data/extract_flow.py',
            'a truncated video',
            "--videos videos/*.mp4 --out-template flow/{video_id} --workers 0",
            r'P01_01.*truncated.*fetch it again',
            prepare=lambda here: truncate(here / 'videos/P01_01.mp4'),
            left=['flow/**'],
        ),
    ]

The current folder of a row is its own copy of the toy folder (`toy_folder.py` lists what is in it);
`prepare` spoils the copy. `arguments` are the words of the command line as a shell splits them
(a text; nothing is expanded), a list of words, or a function of the folder that returns one.
`expected` is a regular expression for the last line on stderr, and `code` the exit code: 1, or 2
where argparse speaks; the tool must say one line and no more on stderr. A batch tool lists the bad
files at its end: with `listed=True` one line of what it printed has to match.
What is in the folder afterwards must be what was there before, byte for byte, but for paths that
match a pattern of `left` ('work/**' is the folder `work` and all below it); `.part` files, and
anything else unfinished, are never allowed. Look at the output of a row with

    pytest tests/bad_input -k 'rows_topic and words_of_the_input' -rP
"""

import hashlib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

Words = str | Sequence[Any]
PROGRESS = '━'  # of rich


@dataclass(frozen=True)
class Row:
    """One bad input.

    Args:
        tool: Path of the script from the root of the repository.
        what: What is wrong with the input, in a few words.
        arguments: The command line.
        expected: Regular expression that the one line must match: names file or flag, and what to
            do.
        code: Exit code.
        prepare: Changes the folder before the tool runs.
        left: Patterns of paths that may be new or changed afterwards.
        listed: The sentence is one of those that a batch tool ends with.
        env: Environment variables of the run.
        as_process: Also run it as a user does, as a process of its own.
    """

    tool: str
    what: str
    arguments: Words | Callable[[Path], Words]
    expected: str
    code: int = 1
    prepare: Callable[[Path], Any] | None = None
    left: Sequence[str] = ()
    listed: bool = False
    env: tuple[tuple[str, str], ...] = ()
    as_process: bool = False

    def words(self, here: Path) -> list[str]:
        """The command line for a folder that has been prepared."""
        words = self.arguments(here) if callable(self.arguments) else self.arguments
        return shlex.split(words) if isinstance(words, str) else [str(word) for word in words]


def snapshot(folder: Path) -> dict[str, str]:
    """Path to the hash of what is there; folders and links are told from files."""
    return {str(path.relative_to(folder)): _content(path) for path in folder.rglob('*')}


def _content(path: Path) -> str:
    if path.is_symlink():
        return f'link to {path.readlink()}'
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return 'folder' if path.is_dir() else 'something else'


def not_allowed(before: dict[str, str], after: dict[str, str], left: Sequence[str]) -> list[str]:
    """What a run lost, changed or left behind against the rules, in words."""
    wrong = []
    for path in sorted(before.keys() | after.keys()):
        was, now = before.get(path), after.get(path)
        if was == now:
            continue
        unfinished = now is not None and any(
            part.endswith(('.part', '.partial', '.tmp')) for part in Path(path).parts
        )
        if unfinished or not any(_matches(path, pattern) for pattern in left):
            verb = 'removed' if now is None else 'left behind' if was is None else 'changed'
            wrong.append(f'{verb}: {path}')
    return wrong


def _matches(path: str, pattern: str) -> bool:
    folder = pattern.removesuffix('/**')
    return fnmatchcase(path, pattern) or (folder != pattern and fnmatchcase(path, folder))


def error_lines(stderr: str) -> list[str]:
    """The lines on stderr, without progress bars and the usage that argparse prints above."""
    lines = [line for line in stderr.splitlines() if line.strip() and PROGRESS not in line]
    return lines[-1:] if lines and lines[0].startswith('usage: ') else lines


def truncate(path: Path, share: float = 0.5) -> None:
    """Keep only the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])


def replace_text(path: Path, old: str, new: str) -> None:
    """Change a text file; the old text must be there."""
    text = path.read_text()
    assert old in text, f'{path} has no {old!r}'
    path.write_text(text.replace(old, new))
