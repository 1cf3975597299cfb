"""Dumps of several models and seeds, checked to be answers to the same questions.

Shape legend: N = clips, S = seeds (trainings), V = views, K = classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..files import find_file, matches
from ..metrics import ScoreTable, load_scores
from .predictions import ACTION, aligned, predictions, proper_scores

SCORES = 'scores.npz'


@dataclass(frozen=True)
class ScoreGroup:
    """One model, trained with one or several seeds.

    Args:
        name: What the report calls it.
        paths: Its dumps.
        tables: Their content, all in the same order of clips.
    """

    name: str
    paths: tuple[str, ...]
    tables: tuple[ScoreTable, ...]

    def top(self, task: str) -> tuple[np.ndarray, np.ndarray]:
        """Confidence and correctness of the answers, each (S, N)."""
        found = [predictions(table, task) for table in self.tables]
        return np.stack([x.confidence_N for x in found]), np.stack([x.correct_N for x in found])

    def errors(self, task: str) -> dict[str, np.ndarray]:
        """NLL and Brier score of the clips, each (S, N)."""
        found = [proper_scores(table, task) for table in self.tables]
        return {name: np.stack([getattr(x, name) for x in found]) for name in ('nll', 'brier')}

    def predicted(self, task: str) -> np.ndarray:
        """The classes that were answered, (S, N); a verb-noun pair is a number of its own."""
        return np.stack([_predicted(table, task) for table in self.tables])


def parse_group(text: str) -> tuple[str, tuple[str, ...]]:
    """Name and dumps of `[NAME=]PATH[,PATH…]`; a folder stands for its `scores.npz`.

    What exists as a whole is one path, whatever characters it has; a path may be a pattern.

    Raises:
        FileNotFoundError: There is no such dump.
    """
    name, listed = named_path(text)
    parts = [listed] if Path(listed).exists() else listed.split(',')
    paths = tuple(_dump(path) for part in parts for path in matches(part) or [Path(part)])
    return name or _default_name(Path(paths[0])), paths


def named_path(text: str) -> tuple[str, str]:
    """Name, maybe empty, and path of `[NAME=]PATH`; a path that exists is no name."""
    name, equals, path = text.partition('=')
    return (name, path) if equals and not Path(text).exists() else ('', text)


def load_groups(texts: Sequence[str]) -> list[ScoreGroup]:
    """Read dumps and bring all of them into the order of the first.

    Raises:
        FileNotFoundError: There is no such dump.
        ValueError: A dump is damaged, or of other clips, classes or labels than the first.
    """
    first: ScoreTable | None = None
    groups = []
    for text in texts:
        name, paths = parse_group(text)
        tables = []
        for path in paths:
            table = checked_scores_of(path)
            first = first or table
            tables.append(alike(table, first, path))
        groups.append(ScoreGroup(name, paths, tuple(tables)))
    names = [group.name for group in groups]
    if len(set(names)) < len(names):
        raise ValueError(f'The models are called {names}: give each its own name, NAME=PATH.')
    return groups


def checked_scores_of(path: str) -> ScoreTable:
    """The content of a dump with labels.

    Raises:
        ValueError: It has no labels, or as `load_scores`.
    """
    table = load_scores(path)
    if set(table.labels) != set(table.scores):
        raise ValueError(
            f'{path} has scores for {sorted(table.scores)} and labels for {sorted(table.labels)}: '
            'test on an annotation file with labels for all tasks.'
        )
    return table


def alike(table: ScoreTable, first: ScoreTable, path: str) -> ScoreTable:
    """The table in the order of the first one.

    Raises:
        ValueError: They are of other clips, videos, tasks or classes.
    """
    try:
        table = aligned(table, first.sample_ids)
    except ValueError as error:
        raise ValueError(f'{path} is of another data set than the first dump. {error}') from error
    check_classes(table, first, path)
    if (table.groups != first.groups).any():
        raise ValueError(f'{path} assigns clips to other videos (groups) than the first dump.')
    for task, labels_N in first.labels.items():
        _check_labels(path, task, table.labels[task], labels_N, first.sample_ids)
    # Flags are of the annotation file: one dump may lack them.
    return replace(table, flags=first.flags)


def check_classes(table: ScoreTable, first: ScoreTable, path: str) -> None:
    """Raise ValueError unless both tables have the same tasks with as many classes."""
    sizes, expected = (
        {task: x.shape[2] for task, x in sorted(t.scores.items())} for t in (table, first)
    )
    if sizes != expected:
        raise ValueError(f'{path} has the classes {sizes}, the first dump has {expected}.')


def _check_labels(
    path: str, task: str, ours_N: np.ndarray, theirs_N: np.ndarray, ids: np.ndarray
) -> None:
    differs_N = ours_N != theirs_N
    if not differs_N.any():
        return
    pairs = set(zip(ours_N.tolist(), theirs_N.tolist(), strict=True))
    renamed = len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    which = np.argmax(differs_N)
    reason = (
        'its classes are in another order'
        if renamed
        else f'{differs_N.sum()} clips are labelled otherwise'
    )
    raise ValueError(
        f'{path} cannot be compared on {task}: {reason} than in the first dump (sample '
        f'{str(ids[which])!r} is {ours_N[which]} here, {theirs_N[which]} there). Test both models '
        'with the same annotation and class files.'
    )


def _predicted(table: ScoreTable, task: str) -> np.ndarray:
    if task in table.scores:
        return table.mean_scores(task).argmax(axis=1)
    assert task == ACTION
    num_nouns = table.scores['noun'].shape[2]
    return _predicted(table, 'verb') * num_nouns + _predicted(table, 'noun')


def _dump(path: Path) -> str:
    path = path / SCORES if path.is_dir() else path
    return find_file(path, 'dump', 'write one with `mmdistill test … --dump`')


def _default_name(path: Path) -> str:
    """`student` for `…/student/scores.npz`, and for `…/student.npz`."""
    return path.parent.name if path.name == SCORES and path.parent.name else path.stem
