"""Something-Else as its owners publish it: splits of Something-Something V2 in its JSON format.

https://github.com/joaanna/something_else, folder `dataset_splits`. The folders have other classes,
numbered otherwise, and each its own file of labels:

- `compositional`, its shuffled twin, `compositional_oneobject`: `train.json` and `validation.json`
  with `labels.json`, 174 classes in the first two and 166 in the last;
- `fewshot`: `base_training_set.json` and `base_validation_set.json` with the 88 classes of
  `base_labels.json`; `finetune_5shot_training.json`, `finetune_10shot_train.json` and so on with
  the 86 of `finetune_labels.json`.
"""

from pathlib import Path
from typing import Any

from ..registry import DATASETS
from .something import SomethingSomethingDataset

# The first part of a list's name, where a folder has two sets of classes.
STAGES = ('base', 'finetune')


@DATASETS.register_module()
class SomethingElseDataset(SomethingSomethingDataset):
    """Something-Else: a split of Something-Something V2, one action per video.

    The boxes are a modality, `SomethingElseBoxes`; videos and flow are those of
    Something-Something V2.

    Args:
        ann_file: One of the lists above; below `data_root` unless absolute.
        labels: Its file of labels; by default the one that belongs to it, in the same folder.
        kwargs: Further arguments of `SomethingSomethingDataset`.

    Raises:
        ValueError: As `SomethingSomethingDataset`.
    """

    def __init__(self, ann_file: str, *, labels: str | None = None, **kwargs: Any) -> None:
        super().__init__(ann_file, labels=labels or labels_of(ann_file), **kwargs)


def labels_of(ann_file: str) -> str:
    """The file of labels that the owners put beside a list of clips.

    >>> labels_of('fewshot/finetune_5shot_training.json')
    'fewshot/finetune_labels.json'
    """
    path = Path(ann_file)
    stage = path.stem.split('_')[0]
    return str(path.with_name(f'{stage}_labels.json' if stage in STAGES else 'labels.json'))
