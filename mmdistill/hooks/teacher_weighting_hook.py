"""Make a teacher ready to be tested as a model of its own."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ..registry import HOOKS
from .holdout import fit_on_holdout


@HOOKS.register_module()
class TeacherWeightingHook(Hook):
    """Fit the weighting of a `MultimodalTeacher` on the holdout before it is tested.

    Args:
        holdout_dataloader: See `DistillationLossHook`.

    Raises:
        ValueError: The weighting looks at the labels of the clips that are tested.
    """

    def __init__(self, holdout_dataloader: dict | None = None) -> None:
        self.holdout_dataloader = holdout_dataloader

    def before_test(self, runner: Runner) -> None:
        """Fit, log, then let the test begin."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if any(weighting.needs_labels for weighting in model.weightings.values()):
            raise ValueError(
                'A weighting by the label of each clip would test the teacher with the answers '
                'in hand; use SoftminWeighting, UniformWeighting or FixedWeighting to test it.'
            )
        fit_on_holdout(runner, model, self.holdout_dataloader)
