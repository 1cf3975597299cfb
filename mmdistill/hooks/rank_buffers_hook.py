"""BatchNorm's running statistics of every process travel in the checkpoint."""

from typing import Any

import torch
from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.runner import Runner

from ..registry import HOOKS
from .gather_before_saving import GatherBeforeSaving

CHECKPOINT_KEY = 'rank_buffers'


@HOOKS.register_module()
class RankBuffersHook(GatherBeforeSaving):
    """Store in checkpoints the buffers in which processes differ; on resume, continue with them.

    MMEngine averages them at the end of an epoch (SyncBuffersHook). Until then every process has
    running statistics of its own, while the state dict in a checkpoint has the main process's. For
    one process, and for models without such buffers, it does nothing.
    """

    priority = 'LOW'  # after SyncBuffersHook, before CheckpointHook

    def __init__(self) -> None:
        self._restored: list[dict[str, torch.Tensor]] | None = None
        self._gathered: list[dict[str, torch.Tensor]] | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Remember the buffers of the run that is being resumed."""
        found = checkpoint.get(CHECKPOINT_KEY) or ()
        if runner._resume and len(found) == get_world_size():
            self._restored = found

    def before_train(self, runner: Runner) -> None:
        """Continue with this process's buffers, now that the state dict has been loaded."""
        if self._restored is not None:
            buffers = dict(runner.model.named_buffers())
            for name, value in self._restored[get_rank()].items():
                buffers[name].copy_(value)
            self._restored = None

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Gather before the best checkpoint."""
        self.gather(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Store what differs."""
        if self._gathered is not None:
            checkpoint[CHECKPOINT_KEY] = self._gathered

    def gather(self, runner: Runner) -> None:
        """Keep the buffers in which the processes differ."""
        if get_world_size() > 1:
            buffers = ((n, x.detach().cpu()) for n, x in runner.model.named_buffers())
            by_rank = all_gather_object({n: x for n, x in buffers if x.is_floating_point()})
            self._gathered = differing(by_rank)


def differing(by_rank: list[dict[str, torch.Tensor]]) -> list[dict[str, torch.Tensor]]:
    """Of every process the buffers that are not the same in all of them."""
    first, *others = by_rank
    same = {n for n, x in first.items() if all(torch.equal(x, other[n]) for other in others)}
    return [{n: x for n, x in buffers.items() if n not in same} for buffers in by_rank]
