"""Is the student learning from its teacher, and is there anything to learn? Said in the log."""

from collections import defaultdict
from typing import Any

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from ..models.batch_inputs import batch_keys
from ..models.logits import recognizer_logits
from ..randomness import same_randomness
from ..ranges import COUNT
from ..registry import HOOKS
from .diagnosis import student_warnings
from .distillation_loss_hook import DistillationLossHook, student_of
from .holdout import collect_logits, holdout_loader
from .taught_clips import TaughtClips, by_heart_warnings, taught_lines


@HOOKS.register_module()
class DistillationDiagnosticsHook(Hook):
    """Log how student and teacher get on, and warn in words where the teacher does harm.

    After every epoch (of an iteration-based training: every pass over the data) it logs the share
    of training clips on which both name the same class, and how hard the distillation losses
    pull at the logits compared to the label losses (`gradient_ratio`, on the epoch's first
    batch). Every `holdout_interval` epochs it also measures the student on the holdout, where
    `DistillationLossHook` has measured the teacher, and warns once it is ahead of it. After the
    first epoch it logs what the experts predict of the clips that they teach, and warns where that
    is far better than of the holdout. The training itself is the same to the bit with and without
    this hook.

    Args:
        holdout_interval: Epochs between two looks at the holdout; 0 for none.
        holdout_dataloader: See `DistillationLossHook`.
    """

    priority = 'LOW'  # after DistillationLossHook, which makes the teacher

    def __init__(
        self, holdout_interval: int = 5, holdout_dataloader: dict[str, Any] | None = None
    ) -> None:
        COUNT.check(holdout_interval=holdout_interval)
        self.holdout_interval = holdout_interval
        self.holdout_dataloader = holdout_dataloader
        self._sums: dict[str, list[float]] = defaultdict(list)
        self._taught: TaughtClips | None = None
        self._has_told = False

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict[str, Any] | None = None
    ) -> None:
        """Ask the student for the gradients' ratio on the first batch of an epoch."""
        first = runner.iter % len(runner.train_dataloader) == 0
        student_of(runner).probe_gradients = first

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Tensor] | None = None,
    ) -> None:
        """Collect the figures of the step; at the end of an epoch, say what they add up to."""
        for name, value in (outputs or {}).items():
            if name.endswith('/agreement') or name == 'gradient_ratio':
                self._sums[name].append(float(value))
        self._watch_teacher(runner, data_batch)
        epochs, rest = divmod(runner.iter + 1, len(runner.train_dataloader))
        if rest:
            return
        self._log_epoch(runner, epochs)
        self._tell_of_teacher(runner)
        if self.holdout_interval and epochs % self.holdout_interval == 0:
            with same_randomness():
                self._look_at_holdout(runner)

    def _watch_teacher(self, runner: Runner, data_batch: dict[str, Any] | None) -> None:
        """From the beginning of an epoch to its end, once."""
        if self._has_told or data_batch is None:
            return
        if runner.iter % len(runner.train_dataloader) == 0:
            for teacher in [hook.teacher for hook in teaching_hooks(runner) if hook.teacher]:
                self._taught = TaughtClips(list(teacher.experts))
        if self._taught is not None:
            self._taught.add(data_batch['data_samples'])

    def _tell_of_teacher(self, runner: Runner) -> None:
        if self._taught is None:
            return
        figures = self._taught.figures()
        self._taught, self._has_told = None, True
        for line in taught_lines(figures):
            runner.logger.info(line)
        for name, by_task in figures.items():
            scalars = {f'taught/{name}/acc/{task}/top1': x.top1 for task, x in by_task.items()}
            runner.visualizer.add_scalars(scalars, step=runner.iter + 1)
        for warning in by_heart_warnings(figures, teaching_hooks(runner)[0].holdout_figures):
            runner.logger.warning(warning)

    def _log_epoch(self, runner: Runner, epochs: int) -> None:
        # As objects: a rank whose batch gave no ratio must not leave the others waiting for it.
        ranks = all_gather_object(dict(self._sums))
        self._sums.clear()
        means = {}
        for name in sorted(set().union(*ranks)):
            values = [value for rank in ranks for value in rank.get(name, [])]
            means[name] = sum(values) / len(values)
        line = '  '.join(f'{name} {value:.4f}' for name, value in means.items())
        runner.logger.info(f'Student and teacher in epoch {epochs}: {line}')
        runner.visualizer.add_scalars({f'epoch/{name}': means[name] for name in means}, step=epochs)

    def _look_at_holdout(self, runner: Runner) -> None:
        teachers = teaching_hooks(runner)
        loader = holdout_loader(runner, self.holdout_dataloader)
        if loader is None or not teachers or not teachers[0].holdout_accuracy:
            return
        student = student_of(runner)
        missing = set(batch_keys(student.data_preprocessor.modality)) - set(_inputs(loader))
        if missing:
            runner.logger.info(
                f'The holdout does not have {sorted(missing)}, which the student reads: add it to '
                'holdout_dataloader to have the student compared with its teacher.'
            )
            self.holdout_interval = 0
            return
        found = self._student_accuracy(student, loader)
        for task, accuracy in found.items():
            runner.logger.info(f'Holdout student: acc/{task}/top1 {accuracy:.4f}')
            for warning in student_warnings(task, accuracy, teachers[0].holdout_accuracy[task]):
                runner.logger.warning(warning)
        scalars = {f'holdout/student/acc/{task}/top1': found[task] for task in found}
        runner.visualizer.add_scalars(scalars, step=runner.iter + 1)

    @staticmethod
    def _student_accuracy(student: Any, loader: Any) -> dict[str, float]:
        def answer(batch: dict[str, Any]) -> dict[str, Tensor]:
            inputs = student.data_preprocessor(batch, False)['inputs']
            return recognizer_logits(student.recognizer, inputs, len(batch['data_samples']))

        student.eval()
        try:
            holdout = collect_logits(answer, loader, len(loader.dataset))
        finally:
            student.train()
        return {
            task: float((x.argmax(-1) == holdout.labels[task]).double().mean())
            for task, x in holdout.expert_logits.items()
        }


def teaching_hooks(runner: Runner) -> list[DistillationLossHook]:
    """The hooks of a run that own a teacher."""
    return [hook for hook in runner.hooks if isinstance(hook, DistillationLossHook)]


def _inputs(loader: Any) -> list[str]:
    """The modalities of a clip of the holdout, decoded once."""
    inputs = loader.dataset[0]['inputs']
    return list(inputs) if isinstance(inputs, dict) else []
