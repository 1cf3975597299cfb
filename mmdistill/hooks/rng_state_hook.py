"""The random generators travel in the checkpoint: a resumed run draws what the whole one draws."""

from typing import Any

import torch
from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..randomness import random_state, set_random_state
from ..registry import HOOKS
from .gather_before_saving import GatherBeforeSaving

CHECKPOINT_KEY = 'rng'


@HOOKS.register_module()
class RngStateHook(GatherBeforeSaving):
    """Store the generators of every rank in checkpoints; on resume, continue with them.

    An epoch-based run that was saved within an epoch continues with the next batch of that epoch.
    Validation draws nothing from the training's generators, so it may be repeated or left out. For
    the same reason a data loader gets a generator of its own.
    """

    priority = 'VERY_HIGH'  # before what draws (mixup, in DistillationLossHook) or saves

    def __init__(self) -> None:
        self._restored: list[dict[str, Any]] | None = None
        self._gathered: list[dict[str, Any]] | None = None
        self._before_val: dict[str, Any] | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Remember the generators of the run that is being resumed."""
        if not runner._resume:
            return
        self._restored = checkpoint.get(CHECKPOINT_KEY)
        if self._restored is None or len(self._restored) != get_world_size():
            ranks = len(self._restored or ())
            runner.logger.warning(
                f'The checkpoint holds the random generators of {ranks} processes, this run has '
                f'{get_world_size()}: dropout and mixup will draw other numbers than an '
                'uninterrupted run would have.'
            )
            self._restored = None

    def before_train(self, runner: Runner) -> None:
        """Set up the data loader, and let a run that was saved within an epoch continue there."""
        loader = runner.train_dataloader
        # Starting to iterate draws a number, which a resumed run draws at other times.
        loader.generator = torch.Generator().manual_seed(runner.seed or 0)
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        done = runner.iter - runner.epoch * len(loader)
        # All of an epoch may be done: what hooks do at its end, schedules above all, is not.
        if not 0 <= done <= len(loader):
            raise ValueError(
                f'The checkpoint was saved at epoch {runner.epoch}, iteration {runner.iter}, which '
                f'does not fit {len(loader)} iterations per epoch: resume with the data, batch '
                'size and number of processes of the run, or start a new one with load_from.'
            )
        if done == 0:
            return
        if not hasattr(loader.sampler, 'skip'):
            raise ValueError(
                f'The checkpoint was saved {done} iterations into an epoch, where '
                f'{type(loader.sampler).__name__} cannot continue: set '
                "train_dataloader.sampler.type='mmdistill.EpochSampler', or resume from a "
                'checkpoint of a whole epoch.'
            )
        loader.sampler.skip(done * loader.batch_sampler.batch_size)

    def before_train_epoch(self, runner: Runner) -> None:
        """Continue with the generators that were saved, once everything has been built."""
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            self._restore()

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict[str, Any] | None = None
    ) -> None:
        """An iteration-based loop has skipped the batches of before only now."""
        self._restore()

    def _restore(self) -> None:
        if self._restored is not None:
            set_random_state(self._restored[get_rank()])
            self._restored = None

    def before_val(self, runner: Runner) -> None:
        """Remember the generators; the best checkpoint is saved during validation."""
        self._before_val = random_state()
        self.gather(runner)

    def after_val(self, runner: Runner) -> None:
        """Continue as if there had been no validation."""
        if self._before_val is not None:
            set_random_state(self._before_val)
            self._before_val = None

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Store the generators of all ranks."""
        if get_world_size() == 1:
            checkpoint[CHECKPOINT_KEY] = [self._before_val or random_state()]
        elif self._gathered is not None:
            checkpoint[CHECKPOINT_KEY] = self._gathered

    def gather(self, runner: Runner) -> None:
        """Keep the generators of all ranks."""
        if get_world_size() > 1:
            self._gathered = all_gather_object(random_state())
