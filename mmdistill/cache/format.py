"""What a teacher cache looks like on disk, and how logits are packed.

    manifest.json            what the logits depend on, the clips, the experts, the tasks
    holdout.safetensors      <task>/logits (N, M, K) float32, <task>/labels (N,)
    view00_00000.safetensors one augmentation epoch ("view") of a run of clips

A shard holds `available` (N, M) uint8 and per task either `<task>/logits` (N, M, K) float16, or of
the top k `<task>/values` float16, `<task>/indices` int32 and `<task>/rest` (N, M) float16.
Shape legend: N = clips, M = experts, K = classes, k = classes kept.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..files import write_whole

VERSION = 1
MANIFEST = 'manifest.json'
HOLDOUT = 'holdout.safetensors'


@dataclass(frozen=True)
class Manifest:
    """The cache's table of contents.

    Attributes:
        views: Number of augmentation epochs.
        clips_per_shard: Clips in a shard, of which the last one may have fewer.
        top_k: Classes kept per expert; None for all.
        experts: Names, in the order of the logits' axis M.
        num_classes: Task to K.
        class_names: What each expert calls its classes, as far as it is known.
        sample_ids: The clips, in the order of the training set.
        fingerprint: See `mmdistill.cache.fingerprint`.
        version: Of the format.
    """

    views: int
    clips_per_shard: int
    top_k: int | None
    experts: list[str]
    num_classes: dict[str, int]
    class_names: dict[str, Any]
    sample_ids: list[str]
    fingerprint: dict[str, Any]
    version: int = VERSION

    @property
    def shards(self) -> list[tuple[int, int]]:
        """(view, number of the shard) of every shard, view by view."""
        count = -(-len(self.sample_ids) // self.clips_per_shard)
        return [(view, number) for view in range(self.views) for number in range(count)]

    def clips(self, number: int) -> range:
        """The clips in a shard."""
        start = number * self.clips_per_shard
        return range(start, min(start + self.clips_per_shard, len(self.sample_ids)))

    def __post_init__(self) -> None:
        """Say what a damaged file gets wrong, before anything is computed with it."""
        numbers = [self.views, self.clips_per_shard, *self.num_classes.values()]
        numbers += [] if self.top_k is None else [self.top_k]
        if not all(isinstance(x, int) and x > 0 for x in numbers):
            raise ValueError('views, clips_per_shard, top_k and num_classes must be 1 or more')
        names = [*self.experts, *self.sample_ids, *self.num_classes]
        if not self.experts or not all(isinstance(x, str) for x in names):
            raise ValueError('experts, tasks and clips must have names')
        if not isinstance(self.fingerprint.get('experts', {}), dict):
            raise ValueError('the fingerprint lacks its experts')

    def layout(self, number: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Type and shape of each tensor in a shard."""
        table = len(self.clips(number)), len(self.experts)
        found: dict[str, tuple[str, tuple[int, ...]]] = {'available': ('U8', table)}
        for task, classes in self.num_classes.items():
            if self.top_k is None or self.top_k >= classes:
                found[f'{task}/logits'] = 'F16', (*table, classes)
                continue
            found[f'{task}/values'] = 'F16', (*table, self.top_k)
            found[f'{task}/indices'] = 'I32', (*table, self.top_k)
            found[f'{task}/rest'] = 'F16', table
        return found

    def write(self, folder: Path) -> None:
        """Write `manifest.json`, whole or not at all."""
        write_whole(folder / MANIFEST, (json.dumps(asdict(self), indent=1) + '\n').encode())


def read_manifest(folder: str | Path) -> Manifest:
    """The manifest of a cache.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is of another version, or damaged.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(
            f'{folder} holds no teacher cache ({MANIFEST} is missing): write one with '
            f'`mmdistill cache-teacher CONFIG {folder} --views K`.'
        )
    try:
        found = json.loads(path.read_text())
        version = found['version']
        manifest = Manifest(**found) if version == VERSION else None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f'{path} is damaged ({error}): write the cache again.') from error
    if manifest is None:
        raise ValueError(
            f'{path} has version {version} of the format, this mmdistill reads version {VERSION}: '
            'write the cache again.'
        )
    return manifest


def shard_path(folder: Path, view: int, number: int) -> Path:
    """Where a shard is."""
    return folder / f'view{view:02d}_{number:05d}.safetensors'


def pack_logits(logits_NMK: Tensor, top_k: int | None) -> dict[str, Tensor]:
    """Logits as they are stored: all in float16, or the largest k and what the others share.

    Raises:
        ValueError: A logit does not fit into float16, or is not a number.
    """
    if not torch.isfinite(logits_NMK.half()).all():
        raise ValueError(
            f'An expert gave logits up to {float(logits_NMK.abs().max()):g}, which float16 cannot '
            'hold: check its checkpoint and its inputs.'
        )
    num_classes = logits_NMK.shape[-1]
    if top_k is None or top_k >= num_classes:
        return dict(logits=logits_NMK.half())
    order_NMK = logits_NMK.argsort(dim=-1, descending=True, stable=True)
    kept_NMk, others_NMK = order_NMK[..., :top_k], order_NMK[..., top_k:]
    # One logit for all others, so that together they keep their probability.
    rest_NM = logits_NMK.gather(-1, others_NMK).float().logsumexp(-1)
    rest_NM = rest_NM - torch.tensor(float(num_classes - top_k)).log()
    return dict(
        values=logits_NMK.gather(-1, kept_NMk).half(),
        indices=kept_NMk.int(),
        rest=rest_NM.half(),
    )


def unpack_logits(packed: dict[str, Tensor], num_classes: int) -> Tensor:
    """Logits (N, M, K) float32 from what `pack_logits` gave."""
    if 'logits' in packed:
        return packed['logits'].float()
    rest_NM1 = packed['rest'].float()[..., None]
    logits_NMK = rest_NM1.repeat(1, 1, num_classes)
    return logits_NMK.scatter_(-1, packed['indices'].long(), packed['values'].float())
