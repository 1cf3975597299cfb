"""What a run asks of its data is looked at before the first iteration, not met in the middle of it.

`check_run` is called by mmdistill train and mmdistill test; a holdout is built later, by the hook
that reads it.
"""

from collections.abc import Iterator
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from .models import MultimodalTeacher, MultitaskHead, StudentRecognizer
from .models.logits import num_classes_by_task


def check_run(runner: Runner, test: bool = False) -> None:
    """Build the loaders of a run, and check each against the model.

    Args:
        runner: Before it has started.
        test: Look at the test instead of training and validation.

    Raises:
        ValueError: A loader gives no batch, labels do not fit the model, or a model that learns
            from labels alone gets clips without.
    """
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    for name in ('test',) if test else ('train', 'val'):
        loop = getattr(runner, f'{name}_loop')
        if loop is not None and hasattr(loop, 'dataloader'):
            check_loader(f'{name}_dataloader', loop.dataloader, model)
    if not test and runner.train_loop is not None:
        _check_learning('train_dataloader', runner.train_loop.dataloader.dataset, model)


def check_loader(name: str, loader: DataLoader[Any], model: nn.Module) -> None:
    """Check that a loader gives batches, whose labels the model has classes for.

    Args:
        name: Of the loader, as the config has it.
        loader: The loader.
        model: A recognizer, a student or a teacher; of others only the batches are checked.

    Raises:
        ValueError: It does not.
    """
    clips = len(loader.dataset)
    if not clips:
        raise ValueError(f'{name} has no clip: its data set is empty; fix its ann_file or split.')
    if not len(loader) and not isinstance(loader.sampler, InfiniteSampler):
        raise ValueError(
            f'{name} gives no batch: drop_last=True, and its {clips} clips are fewer than '
            f'batch_size={loader.batch_size} on every process. Lower batch_size, or set '
            'drop_last=False.'
        )
    number_of = _num_classes(model)
    for dataset in data_sets(loader.dataset):
        labels = getattr(dataset, 'label_summary', None)
        for task, found in labels.ranges.items() if labels else ():
            number = number_of.get(task)
            if found and number is not None and found.largest >= number:
                advice = 'Number the classes from 0' if found.smallest else 'Correct the labels'
                raise ValueError(
                    f'{name}: {dataset.ann_file} has {task} labels from {found.smallest} to '
                    f'{found.largest} (sample {found.sample_id!r}), but the model has {number} '
                    f'classes, 0 to {number - 1}. {advice}, or set {_config_key(model, task)}='
                    f'{found.largest + 1}.'
                )


def data_sets(dataset: Any) -> Iterator[Any]:
    """The data sets below wrappers such as RepeatDataset and ConcatDataset."""
    inner = [*getattr(dataset, 'datasets', ()), getattr(dataset, 'dataset', None)]
    inner = [part for part in inner if part is not None]
    if not inner:
        yield dataset
    for part in inner:
        yield from data_sets(part)


def _num_classes(model: nn.Module) -> dict[str, int]:
    """Task to number of classes; empty where the model is no recognizer of ours or MMAction2's."""
    if isinstance(model, MultimodalTeacher):
        return dict(model.num_classes)
    recognizer = _recognizer(model)
    head = getattr(recognizer, 'cls_head', None)
    return num_classes_by_task(recognizer) if hasattr(head, 'num_classes') else {}


def _recognizer(model: nn.Module) -> nn.Module:
    return model.recognizer if isinstance(model, StudentRecognizer) else model


def _config_key(model: nn.Module, task: str) -> str:
    if isinstance(model, MultimodalTeacher):
        return "num_classes of the experts' heads"
    key = 'model.recognizer.cls_head' if isinstance(model, StudentRecognizer) else 'model.cls_head'
    is_multitask = isinstance(_recognizer(model).cls_head, MultitaskHead)
    return f'{key}.heads.{task}.num_classes' if is_multitask else f'{key}.num_classes'


def _check_learning(name: str, dataset: Any, model: nn.Module) -> None:
    """Raise ValueError where training lacks labels: of a task, or of clips without a teacher."""
    number_of = _num_classes(model)
    for part in data_sets(dataset):
        labels = getattr(part, 'label_summary', None)
        if not labels or not number_of:
            continue
        if labels.ranges and not labels.ranges.keys() >= number_of.keys():
            heads = ', '.join(f'{task}=…' for task in labels.ranges)
            raise ValueError(
                f'{name}: {part.ann_file} has labels of {sorted(labels.ranges)}, but the model '
                f'predicts {sorted(number_of)}. Give it a head per task, cls_head=dict(type='
                f"'mmdistill.MultitaskHead', heads=dict({heads})), or the data set other tasks."
            )
        if labels.unlabelled is not None and not isinstance(model, StudentRecognizer):
            raise ValueError(
                f'{name}: sample {labels.unlabelled!r} of {part.ann_file} has no label, and a '
                f'{type(model).__name__} learns from labels alone: distil a mmdistill.'
                'StudentRecognizer (with a mmdistill.MultitaskHead where there are several tasks), '
                'or leave the clips without a label out.'
            )
