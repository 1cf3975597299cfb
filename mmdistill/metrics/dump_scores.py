"""Per-view logits of a test set in one .npz file, from which every metric can be recomputed.

Shape legend: N = samples, V = views of a clip, K = classes.
"""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from ..files import find_file, whole_file
from ..registry import METRICS
from .score_table import (
    ScoreTable,
    check_not_probabilities,
    read_row,
    table_from_rows,
)
from .table_checks import check_table

# What NumPy raises where a member of the zip file is damaged, or claims to be larger than memory.
DAMAGED = (ValueError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)


def save_scores(path: str | Path, table: ScoreTable) -> None:
    """Write a table of logits: the file is complete or not there.

    Arrays: `sample_ids` and `groups` (N,) str, `logits/<task>` (N, V, K) float32,
    `labels/<task>` (N,) int64, `flags/<name>` (N,) bool. No pickle.
    """
    arrays = {'sample_ids': table.sample_ids, 'groups': table.groups}
    for kind, values in _kinds(table):
        arrays.update({f'{kind}/{name}': array for name, array in values.items()})
    with whole_file(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_scores(path: str | Path) -> ScoreTable:
    """Read what `save_scores` wrote; its scores are logits.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is none of ours or damaged, has no samples or one twice, NaN scores or
            impossible labels.
    """
    arrays = _read_arrays(Path(path))
    kinds: dict[str, dict[str, Any]] = {kind: {} for kind in ('logits', 'labels', 'flags')}
    for name, array in arrays.items():
        kind, _, key = name.partition('/')
        if key:
            kinds.setdefault(kind, {})[key] = array
    if not {'sample_ids', 'groups'} <= arrays.keys() or not kinds['logits']:
        raise ValueError(
            f'{path} holds {sorted(arrays)}, but sample_ids, groups, logits/<task> and '
            'labels/<task> are needed; write it with mmdistill test --dump.'
        )
    table = ScoreTable(
        arrays['sample_ids'], arrays['groups'], kinds['logits'], kinds['labels'], kinds['flags']
    )
    check_table(table, str(path))
    check_not_probabilities(table, 'logits')
    return table


@METRICS.register_module()
class DumpScores(BaseMetric):
    """Collect logits from all ranks and write them with `save_scores`; it yields no metric.

    The heads must give logits of every view, average_clips=None: `mmdistill test --dump` sees to
    it.

    Args:
        out: The .npz file.
        collect_device: 'cpu' or 'gpu', how results are gathered from all ranks.
        collect_dir: Shared folder for gathering on 'cpu'.

    Raises:
        ValueError: `out` does not end with .npz.
    """

    default_prefix = 'dump'

    def __init__(
        self, out: str, collect_device: str = 'cpu', collect_dir: str | None = None
    ) -> None:
        super().__init__(collect_device, collect_dir=collect_dir)
        if not str(out).endswith('.npz'):
            raise ValueError(f'Expected a dump file that ends with .npz, got {str(out)!r}.')
        self.out = out

    def process(self, data_batch: object, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep every sample's logits and flags, and its labels if it has any."""
        self.results += [
            read_row(s, 'logits', len(self.results) + i, needs_labels=False)
            for i, s in enumerate(data_samples)
        ]

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Write the file; there is nothing to report."""
        save_scores(self.out, table_from_rows(results, 'logits'))
        return {}


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    advice = 'write one with `mmdistill test … --dump`'
    path = Path(find_file(path, 'dump', advice))
    if not zipfile.is_zipfile(path):
        raise ValueError(f'{path} is no .npz file, or only the beginning of one: {advice}.')
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except DAMAGED as error:
        raise ValueError(f'{path} cannot be read ({error}): {advice}.') from error
    others = sorted(name for name, found in arrays.items() if not isinstance(found, np.ndarray))
    if others:
        raise ValueError(f'{path} holds {others[:3]}, which are no arrays: {advice}.')
    return arrays


def _kinds(table: ScoreTable) -> list[tuple[str, dict[str, np.ndarray]]]:
    return [('logits', table.scores), ('labels', table.labels), ('flags', table.flags)]
