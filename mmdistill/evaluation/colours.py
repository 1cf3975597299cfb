"""One colour for each model of a report, the same in every plot."""

from collections.abc import Iterable, Mapping
from typing import Any

from .figures import COLOURS, EXPERT_COLOURS, PALETTE

ROLE_COLOURS = {
    'baseline': ('#52606d', '#9aa5b1'),
    'expert': ('#2f8f9d', '#8a5bb5', '#3f7d20'),
    'teacher': ('#3d6fb6', '#d9a441'),
    'student': ('#d1495b', '#e58a6f', '#8c2f39'),
}


def model_colours(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Name of a model to its colour: that of its name or modality, or the next of its role.

    Args:
        rows: With `name`, `role` and `reads`, in the order of the report.
    """
    colours: dict[str, str] = {}
    for row in rows:
        own = [COLOURS.get(row['name'])]
        if row['role'] == 'expert' and len(row['reads']) == 1:
            own.append(EXPERT_COLOURS.get(row['reads'][0]))
        wanted = [x for x in own if x] + [*ROLE_COLOURS[row['role']], *PALETTE]
        # With more models than colours the last ones share.
        free = [colour for colour in wanted if colour not in colours.values()]
        colours[row['name']] = free[0] if free else wanted[len(colours) % len(wanted)]
    return colours
