"""What every process has of its own is gathered before the main process saves a checkpoint."""

from typing import Any

from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner


class GatherBeforeSaving(Hook):
    """Base of hooks that store something of every process: only the main process saves."""

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Gather before a checkpoint within an epoch."""
        if any(saves_now(hook, runner) for hook in runner.hooks):
            self.gather(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Gather before a checkpoint of the epoch."""
        self.gather(runner)

    def gather(self, runner: Runner) -> None:
        """Bring together what the processes have; called in all of them at once."""
        raise NotImplementedError


def saves_now(hook: Hook, runner: Runner) -> bool:
    """Whether a hook saves a checkpoint after this iteration."""
    if not isinstance(hook, CheckpointHook) or hook.by_epoch:
        return False
    due = hook.every_n_train_iters(runner, hook.interval, hook.save_begin)
    return due or (hook.save_last and hook.is_last_train_iter(runner))
