"""The config of a student's recognizer: read from upstream, and fitted to the tasks of the data."""

import copy
from typing import Any

from mmengine.config import Config

from ..config_tools import read_model
from ..joint_actions import ACTION
from ..ranges import ONE_OR_MORE


def resolve_recognizer(cfg: dict[str, Any]) -> dict[str, Any]:
    """Replace the key `config` by the model of that config; the other keys change it.

    `dict(config='mmaction::recognition/…', backbone=dict(pretrained=None))` inherits as `_base_`
    does, `_delete_` included. A dict without `config` is a model already.
    """
    changes = copy.deepcopy(dict(cfg))
    config = changes.pop('config', None)
    if config is None:
        return changes
    whole = Config(dict(model=read_model(config)))
    whole.merge_from_dict(dict(model=changes))
    return whole.model.to_dict()


def fit_to_tasks(model: dict[str, Any], tasks: dict[str, int]) -> dict[str, Any]:
    """Give a stock recognizer a classifier of its own kind per task, answering with logits.

    For `action` alone that is the head with other `num_classes`; otherwise a `MultitaskHead` with
    the head once per task.

    Args:
        model: Config of a recognizer with a `cls_head` that takes `num_classes`.
        tasks: Task to number of classes.

    Raises:
        ValueError: There is no such head, it is fitted to tasks already, or the recognizer has
            another classifier that knows a single task.
    """
    ONE_OR_MORE.check(**{f'the number of classes of {t!r}': n for t, n in tasks.items()})
    head = model.get('cls_head') or {}
    if 'num_classes' not in head:
        raise ValueError(
            f'tasks={tasks} fits a cls_head with num_classes to the data, but this recognizer has '
            f'{head.get("type", "none")}: leave tasks out, and write its heads in the config.'
        )
    fitted = copy.deepcopy(model)
    auxiliary = (fitted.get('neck') or {}).get('aux_head_cfg')
    if set(tasks) == {ACTION}:
        fitted['cls_head'].update(num_classes=tasks[ACTION], average_clips='score')
        if auxiliary:
            auxiliary['out_channels'] = tasks[ACTION]
        return fitted
    if auxiliary:
        raise ValueError(
            f'The auxiliary classifier of the {fitted["neck"]["type"]} neck knows one task, not '
            f'{sorted(tasks)}: set neck=dict(aux_head_cfg=None).'
        )
    single = {key: value for key, value in head.items() if key != 'average_clips'}
    heads = {task: {**single, 'num_classes': number} for task, number in tasks.items()}
    fitted['cls_head'] = dict(type='mmdistill.MultitaskHead', heads=heads)
    return fitted
