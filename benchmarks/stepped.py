"""A real training of MMEngine that is driven step by step, so that two can be timed in turns."""

import itertools
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.registry import LOOPS, init_default_scope
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn

from mmdistill.compat import adapt_to_cpu

_numbers = itertools.count()


@LOOPS.register_module()
class SteppedLoop(EpochBasedTrainLoop):
    """MMEngine's loop by epochs, in which the caller says when an iteration runs."""

    def run(self) -> nn.Module:
        """Do what comes before the first iteration."""
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        self._batches = self._endless()
        return self.runner.model

    def load(self) -> Any:
        """The next batch of the data loader, epoch after epoch."""
        return next(self._batches)

    def step(self, batch: Any) -> None:
        """One iteration with all its hooks."""
        self.run_iter(self._iter, batch)

    def _endless(self) -> Iterator[Any]:
        for epoch in itertools.count():
            self.dataloader.sampler.set_epoch(epoch)
            yield from self.dataloader


def ready_loop(cfg: Config) -> SteppedLoop:
    """Build everything that a training needs, up to its first iteration."""
    init_default_scope('mmaction')
    cfg = Config(cfg.to_dict())
    # MMEngine keeps runs apart by their names; its own ends with the second of the day.
    cfg.experiment_name = f'benchmark_{next(_numbers)}'
    cfg.train_cfg = dict(type='SteppedLoop', max_epochs=1000)
    for part in ('val_dataloader', 'val_cfg', 'val_evaluator'):
        cfg.pop(part, None)
    for part in ('test_dataloader', 'test_cfg', 'test_evaluator'):
        cfg.pop(part, None)
    cfg.load_from, cfg.log_level = None, 'ERROR'
    # Nothing is validated, so no checkpoint can be the best.
    cfg.default_hooks.checkpoint.update(save_best=None, interval=1000)
    runner = Runner.from_cfg(adapt_to_cpu(cfg))
    runner.train()
    return runner.train_loop
