"""The teacher's place in training: it answers before every iteration, onto the data samples.

Shape legend: B = clips, M = experts.
"""

from functools import partial
from typing import Any

import torch
from mmaction.utils import SampleList
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ..cache import CachedTeacher
from ..models import StudentRecognizer
from ..models.class_names import check_class_names, class_names_of
from ..models.logits import num_classes_by_task
from ..models.teacher_output import TeacherOutput, set_teacher_output
from ..models.teacher_protocol import Teacher
from ..models.untaught import untaught_shares
from ..registry import HOOKS, MODELS
from .class_counts import count_classes
from .diagnosis import temperature_warnings
from .holdout import fit_on_holdout, fuse_holdout, holdout_report
from .prefetch import TeachAhead, peek_into
from .trial import check_labels, try_features

CHECKPOINT_KEY = 'distillation'
RESTORED = {'experts', 'weighting'}


@HOOKS.register_module()
class DistillationLossHook(Hook):
    """Own the teacher, and write its logits and features onto every training sample.

    The model never contains the teacher: it is not in the state dict, the optimizer, EMA or DDP.
    What its weightings found on the holdout is stored in the checkpoint under `distillation`,
    beside what the student's losses have learned (projections), and restored on resume. The log
    shows how much each expert counted (`weights/<task>/<expert>`, the mean over the clips), the
    loss weights that follow a schedule, and the shares of the clips that lack every modality of
    the teacher (`untaught/label`, `untaught/nothing`: those without a label, too).

    Args:
        teacher: Config of a `MultimodalTeacher`; default: the config's top-level `teacher`.
        holdout_dataloader: MMEngine dataloader config over clips that no expert was trained on,
            with the experts' modalities, for weightings that are fitted; default: the config's
            top-level `holdout_dataloader`, beside `val_dataloader`.
    """

    def __init__(
        self,
        teacher: dict[str, Any] | None = None,
        holdout_dataloader: dict[str, Any] | None = None,
    ) -> None:
        self.teacher_cfg = teacher
        self.holdout_dataloader = holdout_dataloader
        self.teacher: Teacher | None = None
        # Task to top-1 accuracy of the fused teacher on the holdout; empty without one.
        self.holdout_accuracy: dict[str, float] = {}
        # As `holdout_report` gives it; empty without one, and after a resume.
        self.holdout_figures: dict[str, dict[str, float]] = {}
        self._restored: dict[str, Any] | None = None
        self._ahead: TeachAhead | None = None
        self._untaught_seen = False

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Remember what the run that is being resumed had found.

        Raises:
            ValueError: It had no teacher, or its losses had learned other parts than those of this
                config learn.
        """
        if not runner._resume:
            return
        self._restored = checkpoint.get(CHECKPOINT_KEY)
        if not isinstance(self._restored, dict) or not self._restored.keys() >= RESTORED:
            raise ValueError(
                'The checkpoint is of a training without a teacher: resume with the config of that '
                'run, or start a new one from its weights with load_from.'
            )
        # Checkpoints before there were feature losses lack the entry, and anything to put there.
        learned = set(self._restored.setdefault('losses', {}))
        ours = set(student_of(runner).losses.state_dict())
        # Said here, before the optimizer's state fails to fit with a message about groups.
        if learned != ours:
            raise ValueError(
                f'The losses of the resumed run have learned {sorted(learned) or "nothing"}, those '
                f'of this config learn {sorted(ours) or "nothing"}; start a new work dir for other '
                'losses.'
            )

    def before_train(self, runner: Runner) -> None:
        """Build the teacher, check it against the student, and fit or restore its weighting."""
        student = student_of(runner)
        self.teacher = self._make_teacher(runner, student)
        self.teacher.prepare(student)
        check_classes(student, self.teacher)
        check_labels(student, self.teacher, runner.train_dataloader.dataset)
        student.class_counts = count_classes(student, runner.train_dataloader.dataset)
        self.teacher.watch(student.wanted_features)
        metainfo = getattr(runner.train_dataloader.dataset, 'metainfo', None)
        check_class_names({'the data set': class_names_of(metainfo), **self.teacher.class_names})
        if self._restored is None:
            self._meet_holdout(runner, student)
        else:
            self._restore(runner, student)
        if student.wanted_features:
            try_features(student, self.teacher, runner.train_dataloader)
        self._ahead = self._make_ahead(runner, student)

    def _make_teacher(self, runner: Runner, student: StudentRecognizer) -> Teacher:
        teacher = self.teacher_cfg or _teacher_of(runner)
        if not runner.cfg.get('teacher_cache'):
            return MODELS.build(teacher).to(get_device())
        if student.blending is not None:
            raise ValueError(
                'A teacher cache has the answers for clips as they are, but the data preprocessor '
                'blends them (mixup or CutMix): remove its blending, or train with live experts '
                '(teacher_cache=None).'
            )
        return CachedTeacher.from_config(runner.cfg, teacher, runner.train_dataloader.dataset)

    def _make_ahead(self, runner: Runner, student: StudentRecognizer) -> TeachAhead | None:
        if not self.teacher.prefetch:
            return None
        if student.blending is not None:
            raise ValueError(
                'The teacher is to be asked about the next batch ahead (prefetch=True), but mixup '
                'or CutMix is drawn only when its turn has come: set prefetch=False on the '
                'teacher, or remove the blending.'
            )
        return TeachAhead(self.teacher, peek_into(runner), partial(self._share, student))

    def _share(self, student: StudentRecognizer, data_batch: dict[str, Any]) -> None:
        """Bring a batch to the device once, for student and experts."""
        if self.teacher.share_inputs:
            data_batch.update(student.data_preprocessor.cast_data(data_batch))

    def _meet_holdout(self, runner: Runner, student: StudentRecognizer) -> None:
        holdout = fit_on_holdout(runner, self.teacher, self.holdout_dataloader)
        if holdout is None:
            return
        self.holdout_figures = holdout_report(self.teacher, holdout)
        temperatures = student.temperatures
        for task, fused_NK in fuse_holdout(self.teacher, holdout).items():
            hits_N = fused_NK.argmax(-1) == holdout.labels[task]
            self.holdout_accuracy[task] = float(hits_N.double().mean())
            for warning in temperature_warnings(task, fused_NK, temperatures):
                runner.logger.warning(warning)

    def _restore(self, runner: Runner, student: StudentRecognizer) -> None:
        if self._restored['experts'] != list(self.teacher.experts):
            raise ValueError(
                f'The resumed run was taught by {self._restored["experts"]}, this config has '
                f'{list(self.teacher.experts)}; start a new work dir for another teacher.'
            )
        self.teacher.load_weighting_state(self._restored['weighting'])
        self.teacher.load_own_state(self._restored.get('teacher', {}))
        runner.logger.info('Teacher: weights restored from the checkpoint.')
        self.holdout_accuracy = dict(self._restored.get('holdout_accuracy', {}))
        student.losses.load_state_dict(self._restored['losses'])

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict[str, Any] | None = None
    ) -> None:
        """Let the teacher answer for the batch, once mixup or CutMix has been drawn for both."""
        student = student_of(runner)
        student.progress = runner.iter / runner.max_iters
        answers = self._ahead and self._ahead.answers(data_batch)
        if answers is None:
            self._share(student, data_batch)
            output = self.teacher.teach(data_batch, student.blend(data_batch))
        else:
            output = self.teacher.teach(data_batch, answers=answers)
        set_teacher_output(data_batch['data_samples'], output)
        if self._ahead is not None:
            self._ahead.ask_next()
        scalars = self._mean_weights(output) | student.scheduled_weights
        scalars |= self._untaught(data_batch['data_samples'], output)
        for name, value in scalars.items():
            runner.message_hub.update_scalar(f'train/{name}', value)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Let a teacher that follows the student look at its step."""
        if self.teacher is not None:
            self.teacher.follow(student_of(runner))

    def _mean_weights(self, output: TeacherOutput) -> dict[str, float]:
        """`weights/<task>/<expert>` of the batch."""
        # One transfer from the device for all of them.
        rows = [i for i, taught in enumerate(output.taught) if taught]
        if output.taught and not rows:
            return {}
        chosen = slice(None) if all(output.taught) else rows
        means = torch.stack([w_BM[chosen].double().mean(0) for w_BM in output.weights.values()])
        return {
            f'weights/{task}/{expert}': mean
            for task, row in zip(output.weights, means.tolist(), strict=True)
            for expert, mean in zip(self.teacher.experts, row, strict=True)
        }

    def _untaught(self, data_samples: SampleList, output: TeacherOutput) -> dict[str, float]:
        """The shares of clips that the teacher does not reach, from the first such clip on."""
        self._untaught_seen = self._untaught_seen or not all(output.taught)
        if not self._untaught_seen:
            return {}
        label, nothing = untaught_shares(data_samples, output.taught)
        return {'untaught/label': label, 'untaught/nothing': nothing}

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Store what the weightings and the losses found, beside the student's own state dict."""
        if self.teacher is None:
            return
        learned = student_of(runner).losses.state_dict()
        checkpoint[CHECKPOINT_KEY] = dict(
            experts=list(self.teacher.experts),
            weighting=self.teacher.weighting_state(),
            holdout_accuracy=self.holdout_accuracy,
            losses={name: value.cpu() for name, value in learned.items()},
            teacher=self.teacher.own_state(),
        )


def check_classes(student: StudentRecognizer, teacher: Teacher) -> None:
    """Raise ValueError unless the teacher answers each of the student's tasks, class for class."""
    for task, number in num_classes_by_task(student.recognizer).items():
        theirs = teacher.num_classes.get(task)
        if theirs != number:
            raise ValueError(
                f'The student has {number} classes for {task!r}, the experts have '
                f'{theirs or "no such task"}: train the experts on the same classes, or set '
                'num_classes of the student to theirs.'
            )


def _teacher_of(runner: Runner) -> dict[str, Any]:
    if 'teacher' not in runner.cfg:
        raise ValueError(
            'DistillationLossHook has no teacher: give it one, or add a top-level `teacher` to '
            'the config (see configs/_base_/teachers).'
        )
    return runner.cfg.teacher


def student_of(runner: Runner) -> StudentRecognizer:
    """The student that a runner trains.

    Raises:
        TypeError: Its model is none.
    """
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    if not isinstance(model, StudentRecognizer):
        raise TypeError(
            f'DistillationLossHook teaches a mmdistill.StudentRecognizer, but the model is a '
            f"{type(model).__name__}: wrap it, model=dict(type='mmdistill.StudentRecognizer', "
            'recognizer=<your model>, losses=…).'
        )
    return model
