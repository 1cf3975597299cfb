"""One classifier per task on the same features: the head of verb + noun recognizers."""

from mmaction.utils import ForwardResults, SampleList
from mmengine.model import BaseModule, ModuleDict
from torch import Tensor

from ..labels import label_samples, task_labels
from ..registry import MODELS


@MODELS.register_module()
class MultitaskHead(BaseModule):
    """Run any MMAction2 head per task and keep their names apart.

    Losses and accuracies of a task carry its name (`verb/loss_cls`); predictions are stored as
    `pred_score`, a dict from task to scores.

    Args:
        heads: Task name to the config of an MMAction2 classification head.
        average_clips: How the views of a clip are reduced at test: 'score' (mean logits, (K,)),
            'prob' (mean probabilities, (K,)) or None (logits of each view, (V, K)). It holds for
            every task; a head's own `average_clips` is an error, lest two places disagree.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: There is no head, or a head sets `average_clips`.
    """

    def __init__(
        self,
        heads: dict[str, dict],
        average_clips: str | None = 'score',
        init_cfg: dict | None = None,
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

    def forward(self, x: ForwardResults, **kwargs) -> dict[str, Tensor]:
        """Classify features; returns task -> logits (views in the batch, K)."""
        return {task: head(x, **kwargs) for task, head in self.heads.items()}

    def loss(self, feats: ForwardResults, data_samples: SampleList, **kwargs) -> dict[str, Tensor]:
        """Losses and accuracies of every task, each under `<task>/<name>`."""
        logits = self(feats, **kwargs)
        labels = task_labels(data_samples)
        missing = sorted(logits.keys() - labels.keys())
        if missing:
            raise KeyError(
                f'The model has heads for {sorted(logits)}, but sample '
                f'{data_samples[0].metainfo.get("sample_id", "?")!r} has labels for '
                f'{sorted(labels)} only; name the heads as the tasks of the data set.'
            )
        return {
            f'{task}/{name}': value
            for task, head in self.heads.items()
            for name, value in head.loss_by_feat(logits[task], label_samples(labels[task])).items()
        }

    def predict(self, feats: ForwardResults, data_samples: SampleList, **kwargs) -> SampleList:
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
