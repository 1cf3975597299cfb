"""Clips that lack modalities: by the annotations, by chance, by request.

A record's `absent` names the media that it lacks. `LoadModalities` reads none of them, packs what
stands for a missing modality, and marks them in `available`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from ..ranges import FRACTION
from ..registry import TRANSFORMS
from .annotation_csv import Row

PRESENT = {'1': True, 'true': True, 'yes': True, '0': False, 'false': False, 'no': False}


@TRANSFORMS.register_module()
class ModalityDropout(BaseTransform):
    """Drop whole modalities of a clip by chance, never all of them; stands before `LoadModalities`.

    Each is dropped independently; where all would be, one of them, each as likely, survives. Drawn
    like every augmentation from (seed, epoch, clip), so teacher and student miss the same.

    Args:
        p: Batch key of a modality to the probability that a clip loses it.

    Raises:
        ValueError: There is none, a probability is none, or all are 1.
    """

    def __init__(self, p: Mapping[str, float]) -> None:
        if not isinstance(p, Mapping) or not p:
            raise ValueError(
                f'ModalityDropout needs p=dict(<modality>=<probability>, …), got {p!r}.'
            )
        FRACTION.check(**{f'p of {name}': value for name, value in p.items()})
        if min(p.values()) == 1:
            raise ValueError(
                f'ModalityDropout drops all of {sorted(p)} from every clip (p = 1); keep one '
                'below 1. To read some modalities only, set `available` of LoadModalities.'
            )
        self.p = dict(p)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add `dropped`, and `survivors`: the order in which a modality is kept after all."""
        order = [list(self.p)[k] for k in np.random.permutation(len(self.p))]
        draws = np.random.random_sample(len(self.p))
        dropped = {name for name, draw in zip(self.p, draws, strict=True) if draw < self.p[name]}
        if len(dropped) == len(self.p):
            dropped.remove(order[0])
        results['dropped'], results['survivors'] = frozenset(dropped), tuple(order)
        return results


def kept_modalities(
    present: Sequence[str], dropped: frozenset[str], survivors: Sequence[str]
) -> list[str]:
    """What a clip keeps of the modalities that it has.

    If `ModalityDropout` left none of them, since those it spared are missing anyway, the first of
    its survivors that is there is kept; so a clip never loses the last modality that it has.
    """
    kept = [name for name in present if name not in dropped]
    if kept or not present:
        return kept
    return [next(name for name in survivors if name in present)]


def absent_media(row: Row, columns: Mapping[str, str], record: dict[str, Any]) -> tuple[str, ...]:
    """The media that the annotations say a clip does not have.

    Args:
        row: The clip's row.
        columns: Entry of `media` to the column that says whether a clip has it: 1 or 0, true or
            false, yes or no.
        record: The clip's record, with its media.

    Raises:
        ValueError: There is no such column or medium, or a cell says neither.
    """
    absent, media, sample_id = [], record['media'], record['sample_id']
    for name, column in columns.items():
        if name not in media or column not in row.values:
            what = f'column {column!r}' if name in media else f'entry {name!r} in media'
            raise row.error(
                f'available={dict(columns)} needs the {what}, which is not there; there are the '
                f'media {sorted(media)} and the columns {list(row.values)}'
            )
        value = row.values[column]
        if value.lower() not in PRESENT:
            raise row.error(
                f'sample {sample_id!r}: column {column!r} holds {value!r}; expected 1 or 0, true '
                f'or false, yes or no: whether the clip has {name!r}'
            )
        if not PRESENT[value.lower()]:
            absent.append(name)
    return tuple(absent)
