"""Models on every subset of their modalities, side by side: rows, curves, Markdown, JSON, a plot.

Shape legend: S = seeds (trainings), N = clips.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from ..files import read_json
from ..metrics.missing import RATES, Subset, drop_rates, mixture, subset_name, subsets_of
from .bootstrap import paired_mean_interval
from .figures import curves_plot
from .score_groups import ScoreGroup, load_groups
from .tables import Column, Table, markdown_table

ALL = 'all'


@dataclass(frozen=True)
class SubsetScores:
    """A model's answers on every subset of its modalities.

    Args:
        name: Of the model.
        modalities: In the order of the model.
        groups: Subset to dumps of every seed.
    """

    name: str
    modalities: tuple[str, ...]
    groups: Mapping[Subset, ScoreGroup]

    def hits(self, task: str, names: Sequence[str]) -> dict[Subset, np.ndarray]:
        """Subset, in this order of modalities, to right answers (S, N) float64."""
        return {
            tuple(name for name in names if name in subset): group.top(task)[1].astype(np.float64)
            for subset, group in self.groups.items()
        }


def load_subsets(models: Mapping[str, Sequence[str]]) -> list[SubsetScores]:
    """Read what `mmdistill missing-modalities test` wrote: model to its folders, one per seed.

    Raises:
        FileNotFoundError: A folder has no dump of a subset, or none at all.
        ValueError: Dumps are of other clips, or models of other modalities.
    """
    asked, places = [], []
    for name, folders in models.items():
        modalities = _modalities_in(folders[0])
        for subset in subsets_of(modalities):
            paths = ','.join(str(Path(folder) / f'{subset_name(subset)}.npz') for folder in folders)
            asked.append(f'{name} {subset_name(subset)}={paths}')
            places.append((name, modalities, subset))
    found: dict[str, SubsetScores] = {}
    for (name, modalities, subset), group in zip(places, load_groups(asked), strict=True):
        model = found.setdefault(name, SubsetScores(name, modalities, {}))
        found[name] = SubsetScores(name, modalities, {**model.groups, subset: group})
    first, *others = found.values()
    for other in others:
        if set(other.modalities) != set(first.modalities):
            raise ValueError(
                f'{first.name} reads {list(first.modalities)}, {other.name} '
                f'{list(other.modalities)}: compare models of the same modalities.'
            )
    return list(found.values())


def _modalities_in(folder: str) -> tuple[str, ...]:
    """The names of the dump with most modalities, in the order of the model."""
    names = sorted((path.stem for path in Path(folder).glob('*.npz')), key=lambda n: n.count('+'))
    if not names:
        raise FileNotFoundError(
            f'{folder} holds no dumps of subsets: write them with `mmdistill missing-modalities '
            f'test CONFIG CHECKPOINT --out {folder}`.'
        )
    return tuple(names[-1].split('+'))


def compare_subsets(
    models: Sequence[SubsetScores],
    task: str,
    rates: Sequence[float] = RATES,
    num_resamples: int = 10_000,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Top-1 of each model, and its difference from the first model.

    Returns:
        Rows for every subset, and rows for drop rates: of all modalities, and of each alone.
    """
    names = models[0].modalities
    clips = next(iter(models[0].groups.values())).tables[0].groups
    hits = {model.name: model.hits(task, names) for model in models}
    compared = partial(_compared, hits, clips, num_resamples)
    subsets = [
        {'subset': subset_name(subset), 'models': compared(itemgetter(subset))}
        for subset in subsets_of(names)
    ]
    drops = []
    for dropped in (None, *names):
        for rate in rates:
            at = partial(mixture, rates=drop_rates(names, dropped, rate))
            drops.append({'dropped': dropped or ALL, 'rate': rate, 'models': compared(at)})
    return subsets, drops


def _compared(
    hits: Mapping[str, dict[Subset, np.ndarray]],
    clips: np.ndarray,
    num_resamples: int,
    value: Callable[[dict[Subset, np.ndarray]], np.ndarray],
) -> dict[str, dict[str, Any]]:
    """Of each model: top-1 by seed, and the difference from the first with its interval."""
    values = {name: value(by_subset) for name, by_subset in hits.items()}
    first = next(iter(values))
    found: dict[str, dict[str, Any]] = {}
    for name, ours_SN in values.items():
        found[name] = {'top1': ours_SN.mean(axis=1).tolist()}
        if name != first and len(np.unique(clips)) > 1:
            gain_N = ours_SN.mean(axis=0) - values[first].mean(axis=0)
            interval = paired_mean_interval(gain_N, clips, num_resamples)
            found[name] |= {
                'difference': float(gain_N.mean()),
                'interval': [interval.low, interval.high],
            }
    return found


def missing_tables(
    subsets: Sequence[Mapping[str, Any]], drops: Sequence[Mapping[str, Any]], task: str
) -> list[Table]:
    """Both tables in percent, with the changes against the first model and their intervals."""
    chosen = [row for row in drops if row['dropped'] == ALL]
    first, *others = subsets[0]['models']
    columns = [Column(name, name, 100.0) for name in (first, *others)]
    columns += [Column(f'{name} - {first}', f'{name} change', 100.0, sign='+') for name in others]
    tables = [
        ('missing', 'By the modalities that are there', subsets, _subset_title),
        ('drops', 'By the probability to lose a modality', chosen, _rate_title),
    ]
    return [
        Table(key, title, [_table_row(name(row), row['models']) for row in rows], columns)
        for key, title, rows, name in tables
    ]


def missing_markdown(
    subsets: Sequence[dict[str, Any]], drops: Sequence[dict[str, Any]], task: str
) -> str:
    """`missing_tables` as text."""
    return '\n'.join(
        markdown_table(
            table.rows, table.columns, f'{task} top-1 {table.title[0].lower()}{table.title[1:]}, %'
        )
        for table in missing_tables(subsets, drops, task)
    )


def _subset_title(row: Mapping[str, Any]) -> str:
    return str(row['subset'])


def _rate_title(row: Mapping[str, Any]) -> str:
    return f'{100 * row["rate"]:.0f} %'


def _table_row(title: str, models: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {'title': title, 'intervals': {}}
    for name, value in models.items():
        row[name] = float(np.mean(value['top1']))
        if 'interval' in value:
            row[f'{name} change'] = value['difference']
            row['intervals'][f'{name} change'] = value['interval']
    return row


def read_missing(path: Path) -> dict[str, Any]:
    """What `mmdistill missing-modalities compare` wrote as missing.json.

    Raises:
        ValueError: The file holds something else.
    """
    advice = f'write it with `mmdistill missing-modalities compare … --out {path.parent}`'
    found: dict[str, Any] = read_json(path, dict, advice)
    lacking = sorted({'modalities', 'num_clips', 'num_groups', 'tasks'} - found.keys())
    if lacking:
        raise ValueError(f'{path} lacks {lacking}: {advice}.')
    return found


def missing_plot(
    drops: Sequence[dict[str, Any]], task: str, lines: Mapping[str, float], dropped: str = ALL
) -> str:
    """Top-1 over the drop rate; `lines` are models that lose nothing, drawn flat."""
    rows = [row for row in drops if row['dropped'] == dropped]
    rates = [100 * row['rate'] for row in rows]
    curves = {
        name: (rates, [float(np.mean(row['models'][name]['top1'])) for row in rows])
        for name in rows[0]['models']
    }
    curves |= {name: (rates, [value] * len(rates)) for name, value in lines.items()}
    what = 'any modality' if dropped == ALL else dropped
    titles = {name: name for name in curves}
    return curves_plot(curves, titles, f'probability to lose {what}, %', f'{task} top-1, %', 100.0)
