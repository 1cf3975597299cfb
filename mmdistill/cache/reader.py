"""Read the rows of a teacher cache; nothing in it is executed.

Shape legend: B = clips in the batch, M = experts, K = classes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from .format import HOLDOUT, read_manifest, shard_path, unpack_logits


class TeacherCache:
    """The logits of a cache by (view, sample id); shards are mapped, not read into memory.

    Args:
        folder: The cache.
        views: How many of its views are used; None for all.
        experts: Which of its experts are used, in this order; None for all.

    Raises:
        FileNotFoundError: The manifest or a shard is missing.
        ValueError: A shard is damaged, or there are fewer views.
    """

    def __init__(
        self, folder: str | Path, views: int | None = None, experts: Sequence[str] | None = None
    ) -> None:
        self.folder = Path(folder)
        self.manifest = read_manifest(folder)
        self.experts = list(self.manifest.experts if experts is None else experts)
        self._places = [self.manifest.experts.index(name) for name in self.experts]
        self.views = views or self.manifest.views
        self._rows = {name: i for i, name in enumerate(self.manifest.sample_ids)}
        self._shards = {
            (view, number): open_shard(
                shard_path(self.folder, view, number), self.manifest.layout(number)
            )
            for view, number in self.manifest.shards
            if view < self.views
        }

    def rows(self, clips: list[tuple[int, str]]) -> tuple[dict[str, Tensor], Tensor]:
        """Experts' logits, task -> (B, M, K) float32, and availability (B, M) bool.

        Args:
            clips: View and sample id of each clip.

        Raises:
            KeyError: The cache does not have one of them.
        """
        parts = [self._row(view, name) for view, name in clips]
        packed = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
        available_BM = packed.pop('available').bool()
        by_task: dict[str, dict[str, Tensor]] = {}
        for key, tensor in packed.items():
            task, _, name = key.rpartition('/')
            by_task.setdefault(task, {})[name] = tensor
        num_classes = self.manifest.num_classes
        logits = {t: unpack_logits(by_task[t], k) for t, k in num_classes.items()}
        return self._chosen(logits), available_BM[:, self._places]

    def holdout(self) -> tuple[dict[str, Tensor], dict[str, Tensor]] | None:
        """Logits (N, M, K) and labels (N,) of the holdout per task; None if none was stored."""
        path = self.folder / HOLDOUT
        if not path.exists():
            return None
        try:
            tensors = safetensors.torch.load_file(path)
        except (SafetensorError, OSError) as error:
            raise _damaged(path, error) from error
        logits, labels = (
            {task: tensors.get(f'{task}/{part}') for task in self.manifest.num_classes}
            for part in ('logits', 'labels')
        )
        for task, classes in self.manifest.num_classes.items():
            shapes = [None if x is None else tuple(x.shape) for x in (logits[task], labels[task])]
            clips = shapes[1][0] if shapes[1] else 0
            if shapes != [(clips, len(self.manifest.experts), classes), (clips,)]:
                raise _damaged(path, f'{task}: logits {shapes[0]} and labels {shapes[1]}')
        return self._chosen(cast(dict[str, Tensor], logits)), cast(dict[str, Tensor], labels)

    def _chosen(self, logits: dict[str, Tensor]) -> dict[str, Tensor]:
        """The experts that are used, of (B, M, K) logits per task."""
        return {task: logits_BMK[:, self._places] for task, logits_BMK in logits.items()}

    def _row(self, view: int, name: str) -> dict[str, Tensor]:
        if name not in self._rows or not 0 <= view < self.views:
            what = f'view {view}' if name in self._rows else f'clip {name!r}'
            raise KeyError(
                f'The teacher cache {self.folder} has no {what}: it is of {len(self._rows)} clips '
                f'in {self.views} views; use the training set that it was written for.'
            )
        number, row = divmod(self._rows[name], self.manifest.clips_per_shard)
        shard = self._shards[view, number]
        return {key: shard.get_slice(key)[row : row + 1] for key in shard.keys()}  # noqa: SIM118


def open_shard(path: Path, layout: dict[str, tuple[str, tuple[int, ...]]]) -> Any:
    """Map a shard into memory.

    Args:
        layout: What must be in it, as `Manifest.layout` says.

    Raises:
        FileNotFoundError: It is missing.
        ValueError: It is truncated, or holds other tensors.
    """
    if not path.exists():
        raise FileNotFoundError(
            f'The shard {path} of the teacher cache is missing: run mmdistill cache-teacher again, '
            'it writes what is missing.'
        )
    try:
        shard = safe_open(path, framework='pt')
        parts = {key: shard.get_slice(key) for key in shard.keys()}  # noqa: SIM118
        found = {key: (x.get_dtype(), tuple(x.get_shape())) for key, x in parts.items()}
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error
    for key in sorted(layout.keys() | found.keys()):
        if found.get(key) != layout.get(key):
            raise _damaged(path, f'{key}: {_form(found.get(key))}, not {_form(layout.get(key))}')
    return shard


def _form(tensor: tuple[str, tuple[int, ...]] | None) -> str:
    return f'{tensor[0]} {tensor[1]}' if tensor else 'nothing'


def _damaged(path: Path, reason: Any) -> ValueError:
    return ValueError(
        f'{path} of the teacher cache is damaged ({reason}): delete it and run '
        'mmdistill cache-teacher again, it writes what is missing.'
    )
