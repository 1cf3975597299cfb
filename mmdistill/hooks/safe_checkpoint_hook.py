"""Checkpoints that are there as a whole or not at all, and of which one is always left."""

from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..files import remove_parts, write_whole
from ..registry import HOOKS
from ..resume import BEST


class WholeFileBackend(LocalBackend):
    """MMEngine's local files, but a file appears under its name only once it is complete."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file through a temporary one beside it."""
        write_whole(filepath, obj)


register_backend('mmdistill_whole_files', WholeFileBackend)


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's CheckpointHook, safe against a kill at any moment.

    Files are written beside their place and renamed, and a checkpoint that is to be replaced is
    deleted after its successor is there, not before. A run that is resumed where a validation was
    due begins with it: the checkpoint is of before, so the best score would be lost.

    Args:
        backend_args: Where the checkpoints go; default: whole files on this machine's file system.
        args, kwargs: See CheckpointHook.
    """

    def __init__(
        self, *args: Any, backend_args: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        backend_args = backend_args or dict(backend='mmdistill_whole_files')
        super().__init__(*args, backend_args=backend_args, **kwargs)

    def before_train(self, runner: Runner) -> None:
        """Validate again what was, or should have been, validated after the checkpoint."""
        self._forget_other_folders(runner)
        super().before_train(runner)
        # Upstream warns at each saving that there is none.
        self.save_param_scheduler = self.save_param_scheduler and bool(runner.param_schedulers)
        if is_main_process() and isinstance(self.file_backend, LocalBackend):
            remove_parts(Path(self.out_dir))  # of runs that were killed while they saved
        if runner._resume and validation_was_due(runner):
            runner.logger.info('The checkpoint is of before its validation, which comes first.')
            runner.val_loop.run()

    def _forget_other_folders(self, runner: Runner) -> None:
        """Of a resumed run take names alone: what is not in this work dir is never deleted.

        The checkpoint may be of a work dir that was copied, or be resumed in a new one.
        """
        folder = self.out_dir or runner.work_dir
        if folder != runner.work_dir:  # as upstream understands `out_dir`
            folder = f'{folder}/{Path(runner.work_dir).name}'
        for key, value in list(runner.message_hub.runtime_info.items()):
            name = Path(str(value)).name
            if key.startswith('best_ckpt') and name.startswith(BEST):
                runner.message_hub.update_info(key, f'{folder}/{name}')
            elif key.startswith('best_ckpt'):
                runner.message_hub.pop_info(key)
            elif key == 'keep_ckpt_ids':
                runner.message_hub.update_info(key, [int(number) for number in value])

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        outdated = None
        # Upstream deletes first; it leaves alone what it finds listed already.
        if self.max_keep_ckpts > 0 and (not self.keep_ckpt_ids or self.keep_ckpt_ids[-1] != step):
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                outdated = self.keep_ckpt_ids.popleft()
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        super()._save_checkpoint_with_step(runner, step, meta)
        if outdated is not None:
            self._remove(self.file_backend.join_path(self.out_dir, self._name(outdated)))

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        wanted = [name for name in self.key_indicators or () if name not in ('auto', *metrics)]
        if self.save_best and wanted:
            raise ValueError(
                f'The best checkpoint is to be chosen by {wanted[0]!r}, which is not measured: '
                f'save_best may be one of {sorted(metrics)}.'
            )
        before = getattr(self, 'best_ckpt_path', None)
        if before is None:
            super()._save_best_checkpoint(runner, metrics)
            return
        self.best_ckpt_path = None  # so that upstream does not delete it first
        super()._save_best_checkpoint(runner, metrics)
        if self.best_ckpt_path is None:
            self.best_ckpt_path = before
        elif self.best_ckpt_path != before:
            self._remove(before)

    def _name(self, step: int) -> str:
        return self.filename_tmpl.format(step)

    def _remove(self, path: str) -> None:
        if is_main_process() and self.file_backend.isfile(path):
            self.file_backend.remove(path)


def validation_was_due(runner: Runner) -> bool:
    """Whether the training validates where the resumed checkpoint was saved."""
    loop = runner.train_loop
    if runner.val_loop is None:
        return False
    if isinstance(loop, EpochBasedTrainLoop):
        if runner.iter != runner.epoch * len(runner.train_dataloader):
            return False  # saved within an epoch
        done, last = runner.epoch, loop.max_epochs
    else:
        done, last = runner.iter, loop.max_iters
    return done >= max(1, loop.val_begin) and (done % loop.val_interval == 0 or done == last)
