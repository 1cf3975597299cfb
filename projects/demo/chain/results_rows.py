"""The rows of a results page, as a config lists them: models, teachers put together, students."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from mmengine.config import Config

from mmdistill.stages.sweep_grid import Point

BASELINE = 'rgb'  # the row against which every change is measured
Kind: TypeAlias = Literal['trained', 'teacher', 'student']


@dataclass(frozen=True)
class ResultRow:
    """A row of the results.

    Args:
        name: Identifies it on the command line and in files.
        part: Title of its part of the page.
        kind: 'trained', a config of its own; 'teacher', its experts' logits fused; or 'student'
            of such a teacher.
        title: What people call it.
        config: Of a trained model; besides the experts it sees RGB frames only.
        point: What a teacher or a student changes, as in a sweep.
    """

    name: str
    part: str
    kind: Kind
    title: str
    config: str | None = None
    point: Point = field(default_factory=dict)


def read_rows(cfg: Config) -> dict[str, ResultRow]:
    """The rows of a config such as projects/demo/configs/results.py, by name.

    Raises:
        ValueError: There are none, the baseline is missing, or one is not `[part, title, config or
            point]`.
    """
    rows = {name: _row(name, listed, cfg) for name, listed in (cfg.get('rows') or {}).items()}
    if not rows:
        raise ValueError(
            f'{cfg.filename} has no rows: list them as projects/demo/configs/results.py does.'
        )
    if BASELINE not in rows:
        raise ValueError(
            f'{cfg.filename} has no row {BASELINE!r}, the baseline of every change; add it. '
            f'It has {list(rows)}.'
        )
    return rows


def select_rows(rows: Mapping[str, ResultRow], names: list[str] | None) -> dict[str, ResultRow]:
    """Some of the rows, or all of them.

    Raises:
        ValueError: There is no row of that name.
    """
    unknown = [name for name in names or () if name not in rows]
    if unknown:
        raise ValueError(f'There is no row {unknown[0]!r}: expected some of {list(rows)}.')
    return {name: row for name, row in rows.items() if names is None or name in names}


def _row(name: str, listed: Any, cfg: Config) -> ResultRow:
    try:
        part, title, what = listed
        kind = part['kind']
        is_point = isinstance(what, Mapping)
        if kind not in get_args(Kind) or is_point == (kind == 'trained'):
            raise ValueError(kind)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(
            f'Row {name!r} of {cfg.filename} is {listed!r}; expected [dict(title=…, kind=…), '
            f'title, config or point], where kind is one of {get_args(Kind)}: a trained '
            'model has a config, a teacher and a student have a point.'
        ) from error
    own = dict(point=dict(what)) if is_point else dict(config=what)
    return ResultRow(name, part['title'], kind, title, **own)
