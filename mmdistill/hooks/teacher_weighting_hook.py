"""Make a teacher ready to be tested as a model of its own."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ..registry import HOOKS
from .holdout import fit_on_holdout, holdout_report


@HOOKS.register_module()
class TeacherWeightingHook(Hook):
    """Fit the weighting of a `MultimodalTeacher` on the holdout before it is tested.

    The log of the test then has the mean weights on the holdout as `weights/<task>/<expert>`, the
    name they have in a training.

    Args:
        holdout_dataloader: See `DistillationLossHook`.

    Raises:
        ValueError: The weighting looks at the labels of the clips that are tested.
    """

    def __init__(self, holdout_dataloader: dict[str, Any] | None = None) -> None:
        self.holdout_dataloader = holdout_dataloader

    def before_test(self, runner: Runner) -> None:
        """Fit, log, then let the test begin."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if any(weighting.needs_labels for weighting in model.weightings.values()):
            raise ValueError(
                'A weighting by the label of each clip would test the teacher with the answers '
                'in hand; use SoftminWeighting, UniformWeighting or FixedWeighting to test it.'
            )
        holdout = fit_on_holdout(runner, model, self.holdout_dataloader)
        report = holdout_report(model, holdout) if holdout else {}
        for expert in model.experts if report else ():
            for task in holdout.labels:
                weight = report[expert][f'weight/{task}']
                runner.message_hub.update_scalar(f'test/weights/{task}/{expert}', weight)
