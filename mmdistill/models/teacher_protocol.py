"""What a student's training asks of a teacher, whoever it is.

`MultimodalTeacher` runs its experts, `EMATeacher` follows the student, `CachedTeacher` reads what
experts said beforehand. A teacher of one's own has these and needs no base class.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor

from .blending import Blend
from .class_names import ClassNames
from .teacher_output import ExpertAnswers, Feature, TeacherOutput
from .weighting import Weighting

if TYPE_CHECKING:
    from .student import StudentRecognizer

Stored = tuple[dict[str, Tensor], dict[str, Tensor]]  # logits (N, M, K) and labels (N,) per task


class Teacher(Protocol):
    """Prepared once, asked before every step, shown the student after it."""

    live: bool  # its experts run here: on the holdout, too
    prefetch: bool  # it is asked about the next batch ahead
    share_inputs: bool  # it reads the student's batch on the device
    num_classes: dict[str, int]
    weightings: dict[str, Weighting]

    @property
    def experts(self) -> Iterable[str]:
        """Their names, in the order of the logits."""

    @property
    def class_names(self) -> dict[str, ClassNames]:
        """What each expert calls its classes, as far as it is known."""

    @property
    def needs_holdout(self) -> bool:
        """Whether a weighting must see the holdout before the teacher can answer."""

    @property
    def holdout(self) -> Stored | None:
        """What the experts of a teacher that is not live have said about the holdout."""

    def prepare(self, student: 'StudentRecognizer') -> None:
        """Meet the student before training."""

    def watch(self, features: list[Feature]) -> None:
        """From now on, let `teach` return these features as well."""

    def teach(
        self,
        batch: dict[str, Any],
        blend: Blend | None = None,
        answers: ExpertAnswers | None = None,
    ) -> TeacherOutput:
        """Answer for a batch."""

    def follow(self, student: 'StudentRecognizer') -> None:
        """Look at the student after its step."""

    def fit_weighting(self, expert_logits: dict[str, Tensor], labels: dict[str, Tensor]) -> None:
        """Learn from the holdout how much each expert counts."""

    def weighting_state(self) -> dict[str, dict[str, Tensor]]:
        """What the weightings found, for a checkpoint."""

    def load_weighting_state(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Restore `weighting_state`."""

    def own_state(self) -> dict[str, Tensor]:
        """What changes in training, for a checkpoint."""

    def load_own_state(self, state: dict[str, Tensor]) -> None:
        """Restore `own_state`."""
