"""MMEngine's Runner, which looks at a checkpoint before it goes on with it."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from .checkpoints import CheckpointError, Match, load_weights, read_checkpoint, weights_of
from .resume import check_model, check_optimizer, latest_checkpoint


class CheckedRunner(Runner):
    """A Runner that resumes its own training only, says what it loads, and starts with few words.

    While it is built MMEngine describes the machine, the whole config and the order of the hooks:
    at log_level='INFO' these lines go to the log file, and the console hears of warnings alone.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for console in self._quiet_consoles:
            console.setLevel(logging.INFO)
        self.logger.info(
            f'{Path(self.cfg.filename or "config").name} in {self.work_dir}: the whole config is '
            f'there, machine and hooks are in {self.timestamp}/{self.timestamp}.log'
        )

    def build_logger(self, log_level: int | str = 'INFO', *args: Any, **kwargs: Any) -> MMLogger:
        """As upstream, but the console is quiet until the runner is built."""
        logger = super().build_logger(log_level, *args, **kwargs)
        self._quiet_consoles = [
            handler
            for handler in logger.handlers
            if type(handler) is logging.StreamHandler and handler.level == logging.INFO
        ]
        for console in self._quiet_consoles:
            console.setLevel(logging.WARNING)
        return logger

    _resume: bool
    _load_from: str | None

    def load_or_resume(self) -> None:
        """As upstream; a resume without a checkpoint begins at the beginning, and says so."""
        if self._resume and self._load_from is None:
            self._load_from = latest_checkpoint(self.work_dir)
            if self._load_from is None:
                self._resume = False
                self.logger.info(nothing_to_resume(self.work_dir))
        super().load_or_resume()

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """As upstream; what does not fit is said in one line that names the file.

        Raises:
            CheckpointError: The checkpoint is damaged, or of another training.
        """
        try:
            super().resume(filename, *args, **kwargs)
        except CheckpointError:
            raise
        # What hooks, optimizer and schedules find in it; they raise what they like.
        except Exception as error:
            reason = ' '.join(f'{error}'.split())[:500]
            raise CheckpointError(f'{filename} cannot be resumed: {reason}') from error

    def load_checkpoint(
        self,
        filename: str,
        map_location: str | Callable[..., Any] = 'cpu',
        strict: bool = False,
        revise_keys: Sequence[Any] = (),
    ) -> dict[str, Any]:
        """Read a checkpoint, compare it with the training or the model, and load it.

        Raises:
            CheckpointError: It is damaged; of another training, where one is resumed; of another
                model, where `strict` or where nothing of it fits.
        """
        checkpoint = read_checkpoint(filename, map_location)
        # A file of weights alone becomes a checkpoint for the hooks.
        weights = weights_of(checkpoint, filename)
        if 'state_dict' not in checkpoint:
            checkpoint = dict(state_dict=weights)
        if self._resume:
            check_model(self, checkpoint, filename)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        if self._resume:  # after hooks that know why it differs
            check_optimizer(self, checkpoint, filename)
        model = self.model.module if is_model_wrapper(self.model) else self.model
        match = load_weights(model, weights_of(checkpoint, filename))
        self._judge(match, filename, strict)
        self._has_loaded = True
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint

    def _judge(self, match: Match, filename: str, strict: bool) -> None:
        if match.complete:
            return
        config = self.cfg.filename or 'the config'
        if strict:
            raise CheckpointError(
                f'{filename} does not fit the model of {config}: {match}. Give the checkpoint that '
                'was trained with this config.'
            )
        if not match.fitting:
            raise CheckpointError(
                f'Nothing of {filename} fits the model of {config}: {match}. Give the checkpoint '
                'of such a model, or start without one: load_from=None.'
            )
        self.logger.warning(
            f'Of {filename} {match}. A new classifier (cls_head) is normal where the classes are '
            'others; everything else that is missing starts from its initial weights.'
        )


def nothing_to_resume(work_dir: str) -> str:
    """What a run says that is to be resumed and has no checkpoint."""
    return f'There is no checkpoint in {work_dir}: starting from the beginning.'
