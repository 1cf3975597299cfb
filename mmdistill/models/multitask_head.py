"""One classifier per task on the same features: the head of verb + noun recognizers."""

from typing import Any

from mmaction.utils import ForwardResults, SampleList
from mmengine.model import BaseModule, ModuleDict
from torch import Tensor

from ..labels import LabelledRows, label_samples, labelled_rows
from ..registry import MODELS
from .logits import no_loss, rows_of_clips


@MODELS.register_module()
class MultitaskHead(BaseModule):
    """Run any MMAction2 head per task and keep their names apart.

    Losses and accuracies of a task carry its name (`verb/loss_cls`); predictions are stored as
    `pred_score`, a dict from task to scores. Inside a student, which learns from unlabelled clips
    too, the losses of a task are those of the clips that have its label.

    Args:
        heads: Task name to the config of an MMAction2 classification head.
        average_clips: How the views of a clip are reduced at test: 'score' (mean logits, (K,)),
            'prob' (mean probabilities, (K,)) or None (logits of each view, (V, K)). It holds for
            every task; a head's own `average_clips` is an error, lest two places disagree.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: There is no head, or a head sets `average_clips`.
    """

    # By itself a recognizer learns nothing from a clip without labels: that is an error then.
    allow_unlabelled = False

    def __init__(
        self,
        heads: dict[str, dict[str, Any]],
        average_clips: str | None = 'score',
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if not heads:
            raise ValueError('MultitaskHead got no heads; give one per task, e.g. verb and noun.')
        own = sorted(task for task, head in heads.items() if 'average_clips' in head)
        if own:
            raise ValueError(
                f'The heads of {own} set average_clips; set it once on MultitaskHead instead.'
            )
        self.average_clips = average_clips
        self.heads = ModuleDict(
            {
                task: MODELS.build({**head, 'average_clips': average_clips})
                for task, head in heads.items()
            }
        )

    @property
    def num_classes(self) -> dict[str, int]:
        """Number of classes of each task."""
        return {task: head.num_classes for task, head in self.heads.items()}

    def forward(self, x: ForwardResults, **kwargs: Any) -> dict[str, Tensor]:
        """Classify features; returns task -> logits (views in the batch, K)."""
        return {task: head(x, **kwargs) for task, head in self.heads.items()}

    def loss(
        self, feats: ForwardResults, data_samples: SampleList, **kwargs: Any
    ) -> dict[str, Tensor]:
        """Losses and accuracies of every task, each under `<task>/<name>`."""
        logits = self(feats, **kwargs)
        losses = {}
        for task, found in labelled_rows(data_samples, list(logits)).items():
            if not self.allow_unlabelled:
                _check_all_labelled(task, found, data_samples)
            rows = rows_of_clips(logits[task], found.rows, len(data_samples))
            for name, value in self._loss_of(task, rows, found.labels).items():
                losses[f'{task}/{name}'] = value
        return losses

    def _loss_of(self, task: str, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        if len(labels) == 0:
            return dict(loss_cls=no_loss(logits))
        return self.heads[task].loss_by_feat(logits, label_samples(labels))

    def predict(self, feats: ForwardResults, data_samples: SampleList, **kwargs: Any) -> SampleList:
        """Write `pred_score` and `pred_label`, dicts from task to tensor, onto every sample."""
        scores = {}
        for task, logits in self(feats, **kwargs).items():
            num_views = logits.shape[0] // len(data_samples)
            scores[task] = self.heads[task].average_clip(logits, num_segs=num_views)
        for i, sample in enumerate(data_samples):
            sample.set_field({task: score[i] for task, score in scores.items()}, 'pred_score')
            sample.set_field(
                {task: score[i].argmax(dim=-1) for task, score in scores.items()}, 'pred_label'
            )
        return data_samples


def _check_all_labelled(task: str, found: LabelledRows, data_samples: SampleList) -> None:
    for i, sample in enumerate(data_samples):
        if i not in found.rows:
            raise KeyError(
                f'Sample {sample.metainfo.get("sample_id", "?")!r} has no label for {task!r}, and '
                'a recognizer by itself learns from labels only: label it, leave it out, or '
                'distil a mmdistill.StudentRecognizer.'
            )
