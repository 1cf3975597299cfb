"""Choose the holdout: training clips that no expert sees, used to weight experts and fit T."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .annotation_csv import Row

KEYS = {'ratio', 'seed', 'by', 'column'}
HELD_OUT = 'holdout'


def holdout_groups(groups: Iterable[str], ratio: float = 0.1, seed: int = 0) -> set[str]:
    """Choose whole groups (videos, as a rule) that together hold about `ratio` of the clips.

    Clips of one video look alike, so a split by clip would leak; no group is ever divided. The
    choice depends on the group names, the clips per group, `ratio` and `seed`, not on the order
    of the rows, the machine or any global random state: groups are visited in the order of a
    SHA-256 of seed and name, and one is taken where that brings the number of clips nearer to
    the target. If every group is too large for that, the smallest one is taken, so the holdout
    is never empty; at least one group always stays for training.

    Args:
        groups: The group of every clip, one entry per clip.
        ratio: Share of the clips to hold out, between 0 and 1, both excluded.
        seed: Another seed gives another holdout.

    Returns:
        The names of the held-out groups.

    Raises:
        ValueError: `ratio` is out of range, or there are fewer than two groups to choose from.
    """
    if not (isinstance(ratio, (int, float)) and 0 < ratio < 1):
        raise ValueError(
            f'The ratio of the holdout must lie between 0 and 1, got {ratio}: with it the holdout '
            'or the training part would be empty.'
        )
    clips = Counter(groups)
    if len(clips) < 2:
        raise ValueError(
            f'The holdout would be empty: its split is by group and needs at least two, but the '
            f'{clips.total()} clips are in {len(clips)} ({", ".join(clips) or "none"}). '
            'Add videos, give finer groups, or use split=None.'
        )

    def visit_order(group: str) -> bytes:
        return hashlib.sha256(f'{seed}:{group}'.encode()).digest()

    target = ratio * clips.total()
    chosen: set[str] = set()
    held_out = 0
    for group in sorted(clips, key=visit_order):
        closer = abs(held_out + clips[group] - target) < abs(held_out - target)
        if closer and len(chosen) < len(clips) - 1:
            chosen.add(group)
            held_out += clips[group]
    return chosen or {min(clips, key=lambda group: (clips[group], visit_order(group)))}


def check_holdout(holdout: Mapping[str, Any]) -> None:
    """Look at the arguments of `held_out_ids`.

    Raises:
        ValueError: One of them is unknown, or two exclude each other.
    """
    unknown = sorted(holdout.keys() - KEYS)
    if unknown:
        raise ValueError(f'Unknown keys {unknown} in holdout; expected some of {sorted(KEYS)}.')
    if 'column' in holdout and len(holdout) > 1:
        raise ValueError(
            f'holdout={dict(holdout)}: a column says of each clip whether it is held out, so '
            'nothing is left to choose by ratio, seed or by; leave them out.'
        )


def held_out_ids(
    rows: 'Sequence[Row]', records: Sequence[Mapping[str, Any]], holdout: Mapping[str, Any]
) -> set[str]:
    """The sample ids of the holdout.

    Args:
        rows: The annotations.
        records: What became of each.
        holdout: `column`: where that column of the annotations says 'holdout'. Else by
            `holdout_groups` with `ratio` and `seed`; the groups are the records', or with `by` the
            texts of that column.

    Raises:
        ValueError: There is no such column, or it holds out nothing, or everything.
    """
    column = holdout.get('column') or holdout.get('by')
    if column is not None and column not in rows[0].values:
        raise ValueError(
            f'holdout names the column {column!r}, but there are only {list(rows[0].values)}.'
        )
    texts = [row.values[column] for row in rows] if column else [r['group'] for r in records]
    if 'column' in holdout:
        chosen = {HELD_OUT}
        if HELD_OUT not in texts or set(texts) == chosen:
            raise ValueError(
                f'The column {column!r} holds {sorted(set(texts))[:5]}; the clips of the holdout '
                f'say {HELD_OUT!r} there, those to train on something else.'
            )
    else:
        rest = {key: value for key, value in holdout.items() if key != 'by'}
        chosen = holdout_groups(texts, **rest)
    return {r['sample_id'] for text, r in zip(texts, records, strict=True) if text in chosen}
