"""What the visualisation backends would miss: figures, and the metrics of a test."""

from collections import defaultdict
from typing import TYPE_CHECKING

from mmengine.dist import master_only
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from ..metrics import Calibration
from ..registry import HOOKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 144


@HOOKS.register_module()
class VisualReportHook(Hook):
    """Send figures to every visualisation backend, and what is printed at the end of a test.

    After each validation and test there is an image `calibration_<task>`, the reliability diagram,
    for every task of a `Calibration` metric; and `teacher_weights` where a teacher has weights
    (the mean over the last epoch; at the test of a teacher, over the holdout). MMEngine's logger
    sends its scalars to the backends itself, except those of a test
    (https://github.com/open-mmlab/mmengine/issues/1582).
    """

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Draw."""
        self._draw(runner, runner.val_loop.evaluator, metrics or {}, 'train')

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Draw, and send the scalars under the names that the log gives them."""
        number = len(runner.test_dataloader)
        scalars, _ = runner.log_processor.get_log_after_epoch(runner, number, 'test')
        runner.visualizer.add_scalars(scalars, step=_epoch(runner))
        self._draw(runner, runner.test_loop.evaluator, metrics or {}, 'test')

    @master_only
    def _draw(
        self, runner: Runner, evaluator: Evaluator, metrics: dict[str, float], mode: str
    ) -> None:
        # Matplotlib takes a second, and is not needed before.
        from ..evaluation.figures import COLOURS, reliability_figure
        from ..evaluation.weights_figure import weights_figure

        for metric in evaluator.metrics:
            if isinstance(metric, Calibration):
                for task, bins in metric.reliability.items():
                    ece = metrics[f'{metric.prefix}/{task}/ece']
                    figure = reliability_figure(bins, task, ece, COLOURS['student'])
                    # No slash: the local backend would look for a folder of that name.
                    self._add(runner, f'{metric.prefix}_{task}', figure)
        weights = _teacher_weights(runner, mode)
        if weights:
            self._add(runner, 'teacher_weights', weights_figure(weights))

    @staticmethod
    def _add(runner: Runner, name: str, figure: 'Figure') -> None:
        from ..evaluation.figures import to_image

        figure.set_dpi(DOTS_PER_INCH)
        runner.visualizer.add_image(name, to_image(figure), _epoch(runner))


def _epoch(runner: Runner) -> int:
    # `runner.epoch` would build the training where there is only a test.
    return runner.epoch if isinstance(runner._train_loop, BaseLoop) else 0


def _teacher_weights(runner: Runner, mode: str) -> dict[str, dict[str, float]]:
    """Task to expert to mean weight, from the scalars `weights/<task>/<expert>` of a mode."""
    training = mode == 'train' and isinstance(runner._train_loop, BaseLoop)
    window = len(runner.train_dataloader) if training else None
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for name, values in runner.message_hub.log_scalars.items():
        if name.startswith(f'{mode}/weights/'):
            task, expert = name.split('/')[2:]
            found[task][expert] = float(values.mean(window))
    return found
