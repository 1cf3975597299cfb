"""The submission file of EPIC-KITCHENS' action recognition challenge: written, and checked.

A zip with one file, `test.json`, of the form

    {"version": "0.2", "challenge": "action_recognition", "sls_pt": 1, "sls_tl": 3, "sls_td": 3,
     "results": {"P01_11_0": {"verb": {"0": 1.2, …, "96": …}, "noun": {"0": …, …, "299": …},
                              "action": {"0,1": 0.3, …}}, …}}

with the scores of all verbs, all nouns and the 100 best actions of every narration. What the three
supervision levels (0 to 5) mean is on the challenge's page. https://epic-kitchens.github.io
"""

import json
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..files import whole_file
from ..joint_actions import NOUN, VERB
from .epic_kitchens import best_joint_actions
from .score_table import ScoreTable

VERSION = '0.2'
CHALLENGE = 'action_recognition'
MEMBER = 'test.json'
SUPERVISION = ('sls_pt', 'sls_tl', 'sls_td')
NUM_CLASSES = {VERB: 97, NOUN: 300}
NUM_ACTIONS = 100
# Nine digits tell any two float32 apart.
DIGITS = 9
ROWS_AT_ONCE = 1000


def write_submission(path: str | Path, table: ScoreTable, supervision: Mapping[str, int]) -> None:
    """Write the scores of a table of logits as a submission: the file is complete or not there.

    Verbs and nouns get their logits, averaged over the views, and actions their probability, the
    product of those of verb and noun.

    Args:
        path: The zip file; one that is there is replaced.
        table: `sample_ids` are the narration ids; labels are not needed.
        supervision: `sls_pt`, `sls_tl` and `sls_td`.

    Raises:
        ValueError: The classes are not those of EPIC-KITCHENS-100, or a level is not 0 to 5.
    """
    _check_table(table)
    header = dict(version=VERSION, challenge=CHALLENGE, **supervision)
    problem = next(_header_problems(header), None)
    if problem:
        raise ValueError(f'The submission cannot be written: {problem}.')
    with (
        whole_file(path) as whole,
        zipfile.ZipFile(whole, 'w', zipfile.ZIP_DEFLATED) as archive,
        archive.open(MEMBER, 'w', force_zip64=True) as file,
    ):
        file.write(f'{json.dumps(header)[:-1]}, "results": {{'.encode())
        for number, (name, scores) in enumerate(_results(table)):
            comma = ',' if number else ''
            file.write(f'{comma}\n{json.dumps(name)}: {json.dumps(scores)}'.encode())
        file.write(b'\n}}\n')


def check_submission(path: str | Path, narration_ids: Iterable[str] | None = None) -> int:
    """Check a submission by the rules of the challenge's server, and count its narrations.

    Args:
        path: The zip file.
        narration_ids: The narrations that must be there, no more and no fewer; None skips that.

    Raises:
        ValueError: It is no submission; names the file and the first problems.
    """
    content = _read(Path(path))
    problems = list(_header_problems(content))
    results = content.get('results')
    if not isinstance(results, dict) or not results:
        problems.append('it has no results')
        results = {}
    if narration_ids is not None:
        problems += _narration_problems(results, set(narration_ids))
    for name, scores in results.items():
        problems += (f'narration {name!r}: {problem}' for problem in _score_problems(scores))
    if problems:
        more = f'; and {len(problems) - 5} more' if len(problems) > 5 else ''
        raise ValueError(f'{path} is no valid submission: {"; ".join(problems[:5])}{more}.')
    return len(results)


def _check_table(table: ScoreTable) -> None:
    found = {task: scores.shape[-1] for task, scores in table.scores.items()}
    if found != NUM_CLASSES:
        raise ValueError(
            f'The dump has scores of {found} classes; a submission needs {NUM_CLASSES}, a model of '
            'EPIC-KITCHENS-100 with verbs and nouns.'
        )


def _results(table: ScoreTable) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    """Narration id and scores, one by one: all at once would take gigabytes."""
    for first in range(0, len(table.sample_ids), ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        means = {
            t: scores[rows].astype(np.float64).mean(axis=1) for t, scores in table.scores.items()
        }
        best = best_joint_actions(means[VERB], means[NOUN], NUM_ACTIONS)
        for i, name in enumerate(table.sample_ids[rows]):
            scores = {
                task: {str(k): _rounded(x) for k, x in enumerate(means[task][i])}
                for task in (VERB, NOUN)
            }
            pairs = zip(best.verbs_NJ[i], best.nouns_NJ[i], best.log_probs_NJ[i], strict=True)
            scores['action'] = {f'{v},{n}': _rounded(math.exp(x)) for v, n, x in pairs}
            yield str(name), scores


def _rounded(score: float) -> float:
    return float(f'{score:.{DIGITS}g}')


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f'There is no submission {path}.')
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.namelist() != [MEMBER]:
                raise ValueError(f'{path} holds {archive.namelist()[:3]}; expected {MEMBER} alone.')
            text = archive.read(MEMBER)
    except zipfile.BadZipFile as error:
        raise ValueError(f'{path} is not a zip file, or it is cut short: {error}.') from error
    try:
        content = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path}: {MEMBER} is not valid ({error}).') from error
    if not isinstance(content, dict):
        raise ValueError(f'{path}: {MEMBER} holds a {type(content).__name__}; expected a dict.')
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'{twice!r} is there twice')
    return content


def _header_problems(content: Mapping[str, Any]) -> Iterator[str]:
    for key, expected in (('version', VERSION), ('challenge', CHALLENGE)):
        if content.get(key) != expected:
            yield f'{key} is {content.get(key)!r}, expected {expected!r}'
    for key in SUPERVISION:
        level = content.get(key)
        if type(level) is not int or not 0 <= level <= 5:
            yield f'{key} is {level!r}, expected a whole number from 0 to 5'


def _narration_problems(found: Mapping[str, Any], expected: set[str]) -> Iterator[str]:
    for what, names in (
        ('are missing', expected - found.keys()),
        ('are unknown', found.keys() - expected),
    ):
        if names:
            yield f'{len(names)} narrations {what}, such as {min(names)!r}'


def _score_problems(scores: Any) -> Iterator[str]:
    if not isinstance(scores, dict) or set(scores) != {VERB, NOUN, 'action'}:
        yield 'expected scores of verb, noun and action'
        return
    for task, values in scores.items():
        if not isinstance(values, dict):
            yield f'the {task} scores are a {type(values).__name__}, expected a dict'
            continue
        if task in NUM_CLASSES and set(values) != {str(k) for k in range(NUM_CLASSES[task])}:
            yield f'expected {task} classes 0 to {NUM_CLASSES[task] - 1}, got {len(values)} others'
        if task == 'action' and len(values) != NUM_ACTIONS:
            yield f'expected {NUM_ACTIONS} actions, got {len(values)}'
        for key, value in values.items():
            if task == 'action' and not _is_action(key):
                yield f"the action {key!r} is none; expected 'verb,noun'"
            if type(value) not in (int, float) or not math.isfinite(value):
                yield f'the score of {task} {key!r} is {value!r}, expected a number'


def _is_action(key: str) -> bool:
    named = re.fullmatch(r'(\d{1,3}),(\d{1,3})', key)
    return (
        named is not None
        and int(named[1]) < NUM_CLASSES[VERB]
        and int(named[2]) < NUM_CLASSES[NOUN]
    )
