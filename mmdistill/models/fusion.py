"""What live experts and a cache of their logits have in common: weightings, and the sum.

Shape legend: B = clips, N = holdout clips, M = experts, K = classes.
"""

from typing import Any

from mmaction.utils import SampleList
from torch import Tensor

from ..labels import labelled_rows
from ..registry import MODELS
from .frozen_run import own_precision
from .teacher_output import TeacherOutput
from .weighting import Weighting, available_only, fuse_logits, weights_per_clip


class ExpertFusion:
    """Mixin: fuse the experts' logits by `weightings`, fitted on the holdout.

    Attributes:
        weightings: Task to weighting.
    """

    weightings: dict[str, Weighting]

    def fuse(
        self, expert_logits: dict[str, Tensor], data_samples: SampleList, available_BM: Tensor
    ) -> TeacherOutput:
        """Weigh and sum the experts' logits per task.

        Args:
            expert_logits: Task to (B, M, K).
            data_samples: The B samples, for weightings that look at labels.
            available_BM: Which expert has its modality for which clip, bool. Of a clip that no
                expert has one of, the logits mean nothing; `taught` says which.
        """
        labels = self._labels(data_samples)
        taught_B = available_BM.any(dim=1)
        if not taught_B.all():
            available_BM = available_BM | ~taught_B[:, None]
        logits, weights = {}, {}
        for task, logits_BMK in expert_logits.items():
            weighting = self.weightings[task]
            logits_BMK = weighting.scaled(logits_BMK)
            found = weighting.weights(logits_BMK, labels.get(task))
            weights_BM = weights_per_clip(found, logits_BMK)
            weights[task] = available_only(weights_BM, available_BM.to(logits_BMK.device))
            with own_precision(logits_BMK.device, None):
                logits[task] = weighting.tempered(fuse_logits(logits_BMK, weights[task]))
        return TeacherOutput(logits, expert_logits, weights, taught=tuple(taught_B.tolist()))

    def _labels(self, data_samples: SampleList) -> dict[str, Tensor]:
        """Labels of the tasks whose weighting looks at them, with all clips labelled."""
        tasks = {task: w for task, w in self.weightings.items() if w.needs_labels}
        labels = {}
        for task, found in labelled_rows(data_samples, list(tasks)).items():
            absent = sorted(set(range(len(data_samples))) - set(found.rows))
            if absent:
                raise ValueError(
                    f'{type(tasks[task]).__name__} weighs experts by the label of each clip, but '
                    f'{data_samples[absent[0]].metainfo.get("sample_id", "?")!r} has none for '
                    f'{task!r}; use EntropyWeighting or SoftminWeighting for unlabelled clips.'
                )
            labels[task] = found.labels
        return labels

    def fit_weighting(self, expert_logits: dict[str, Tensor], labels: dict[str, Tensor]) -> None:
        """Show the weightings the holdout: task -> (N, M, K) logits and (N,) labels."""
        for task, weighting in self.weightings.items():
            weighting.fit(expert_logits[task], labels[task])

    def weighting_state(self) -> dict[str, dict[str, Tensor]]:
        """What the weightings found on the holdout, per task; plain tensors for a checkpoint."""
        return {task: weighting.state_dict() for task, weighting in self.weightings.items()}

    def load_weighting_state(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Restore `weighting_state`."""
        for task, weighting in self.weightings.items():
            weighting.load_state_dict(state[task])

    @property
    def needs_holdout(self) -> bool:
        """Whether a weighting must see the holdout before the teacher can answer."""
        return any(weighting.needs_holdout for weighting in self.weightings.values())


def build_weightings(weighting: dict[str, Any], tasks: list[str]) -> dict[str, Weighting]:
    """One weighting per task from the config of a teacher.

    Raises:
        ValueError: There are weightings for other tasks than the experts have.
    """
    if 'type' in weighting:
        weighting = dict.fromkeys(tasks, weighting)
    if set(weighting) != set(tasks):
        raise ValueError(
            f'The experts have the tasks {tasks}, but weightings are given for '
            f'{sorted(weighting)}; give one for each task, or a single one for all.'
        )
    return {task: MODELS.build(weighting[task]) for task in tasks}
