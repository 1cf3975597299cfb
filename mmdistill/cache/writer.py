"""Run the experts once and store what they say, shard by shard.

Shape legend: N = clips, B = clips in a batch, M = experts, K = classes.
"""

from collections.abc import Callable, Sized
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import safetensors.torch
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..datasets.clip_index import ClipIndex
from ..files import write_whole
from ..models import MultimodalTeacher
from .fingerprint import differences
from .format import HOLDOUT, MANIFEST, Manifest, pack_logits, read_manifest, shard_path
from .reader import open_shard

Logits = dict[str, Tensor]


class CacheWriter:
    """Write a teacher cache; what is there already is kept.

    Args:
        folder: Where the cache is, or is to be.
        manifest: What it is to hold.

    Raises:
        ValueError: The folder has a cache that depends on something else.
    """

    def __init__(self, folder: str | Path, manifest: Manifest) -> None:
        self.folder = Path(folder)
        self.manifest = manifest
        if (self.folder / MANIFEST).exists():
            self.manifest = _extended(read_manifest(folder), manifest, self.folder)

    def begin(self) -> None:
        """Write the manifest; for one process."""
        self.manifest.write(self.folder)

    def write_shards(
        self,
        answer: Callable[[int, range], tuple[Logits, Tensor]],
        rank: int = 0,
        world_size: int = 1,
    ) -> int:
        """Write this rank's share of the shards that are missing; returns how many it wrote.

        Args:
            answer: Gives, for a view and a range of clips, task -> logits (N, M, K), and which
                expert has its modality for which clip (N, M).
            rank: Of this process.
            world_size: Number of processes.
        """
        written = 0
        for view, number in self.manifest.shards[rank::world_size]:
            path = shard_path(self.folder, view, number)
            if _is_complete(path, self.manifest, number):
                continue
            logits, available_NM = answer(view, self.manifest.clips(number))
            tensors = {'available': available_NM.to(torch.uint8).contiguous()}
            for task, logits_NMK in logits.items():
                for name, tensor in pack_logits(logits_NMK, self.manifest.top_k).items():
                    tensors[f'{task}/{name}'] = tensor.contiguous()
            write_whole(path, safetensors.torch.save(tensors))
            written += 1
        return written

    def write_holdout(self, logits: Logits, labels: dict[str, Tensor]) -> None:
        """Store the experts' logits on the holdout (N, M, K) and its labels (N,), per task."""
        tensors = {f'{task}/logits': x.float().contiguous() for task, x in logits.items()}
        tensors |= {f'{task}/labels': x.contiguous() for task, x in labels.items()}
        write_whole(self.folder / HOLDOUT, safetensors.torch.save(tensors))

    @property
    def bytes_per_1000_clips(self) -> float:
        """Size of 1,000 clips in one view, of the shards that are there."""
        paths = [shard_path(self.folder, *shard) for shard in self.manifest.shards]
        size = sum(path.stat().st_size for path in paths)
        return 1000 * size / (len(self.manifest.sample_ids) * self.manifest.views)


def expert_answers(
    teacher: MultimodalTeacher, dataset: Dataset[Any], seed: int, loader: dict[str, Any]
) -> Callable[[int, range], tuple[Logits, Tensor]]:
    """Let live experts answer for `CacheWriter.write_shards`.

    Args:
        teacher: The experts.
        dataset: The training set, with all modalities.
        seed: Of the run.
        loader: Arguments of a DataLoader: `batch_size`, `num_workers`, …
    """

    @torch.no_grad()
    def answer(view: int, clips: range) -> tuple[Logits, Tensor]:
        indices = [ClipIndex(i, seed, view, len(cast(Sized, dataset))) for i in clips]
        found, available = [], []
        for batch in DataLoader(dataset, sampler=indices, collate_fn=pseudo_collate, **loader):
            data = teacher.data_preprocessor(batch, False)
            logits = teacher.run_experts(data['inputs'])
            found.append({task: x.float().cpu() for task, x in logits.items()})
            available.append(teacher.available(data['data_samples']))
        return {task: torch.cat([x[task] for x in found]) for task in found[0]}, torch.cat(
            available
        )

    return answer


def _is_complete(path: Path, manifest: Manifest, number: int) -> bool:
    """Whether a shard is there; half of one (of another program's making) is written again."""
    try:
        open_shard(path, manifest.layout(number))
    except (FileNotFoundError, ValueError):
        return False
    return True


def _extended(stored: Manifest, wanted: Manifest, folder: Path) -> Manifest:
    """The stored manifest with as many views as are wanted."""
    found = differences(stored.fingerprint, wanted.fingerprint)
    for name in ('top_k', 'sample_ids', 'experts'):
        ours, theirs = getattr(wanted, name), getattr(stored, name)
        if ours != theirs:
            found += differences(theirs, ours, name)
    if found:
        raise ValueError(
            f'{folder} holds a cache that depends on something else ({"; ".join(found)}): give '
            'another folder, or move this one away.'
        )
    return replace(stored, views=max(stored.views, wanted.views))
