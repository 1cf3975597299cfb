"""Temperatures of a trained model: where they are kept, and how a model uses them when asked.

They are fitted by mmdistill temperature-scaling. A checkpoint that has them in its `meta`
loads as any other, and nothing is scaled unless `use_temperatures` is called.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmaction.utils import SampleList
from torch import Tensor, nn

from ..checkpoints import WRITTEN_BY, CheckpointError, read_checkpoint, shortened, weights_of
from ..files import find_file, write_whole
from ..joint_actions import ACTION
from ..metrics.temperature import check_temperatures
from .logits import num_classes_by_task
from .teacher import MultimodalTeacher

KEY = 'temperatures'


def read_temperatures(path: str | Path) -> dict[str, float]:
    """Task to temperature, from a published checkpoint or from the tool's .json file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds no temperatures.
    """
    advice = 'mmdistill temperature-scaling writes one'
    path = Path(find_file(path, 'file of temperatures', advice))
    if path.suffix == '.json':
        try:
            content = json.loads(path.read_text())
        except (ValueError, RecursionError) as error:
            raise ValueError(f'{path} is no JSON file ({error}): {advice}.') from error
    else:
        content = read_checkpoint(path, mapped=True).get('meta')
    if not isinstance(content, dict) or not isinstance(content.get(KEY), dict):
        raise ValueError(
            f'{path} holds no temperatures: fit them with mmdistill temperature-scaling, '
            'and give the .json file of --out or the checkpoint of --publish.'
        )
    return dict(content[KEY])


def publish(source: str, target: str | Path, temperatures: Mapping[str, float]) -> None:
    """Write a checkpoint's weights and `meta` with the temperatures in it, nothing else.

    What only a training needs is left out; the state dict is the same.

    Raises:
        FileExistsError: The target is there already.
        CheckpointError: The source is no checkpoint.
    """
    if Path(target).exists():
        raise FileExistsError(f'{target} is there already; give another name, or remove it.')
    checkpoint = read_checkpoint(source)
    if 'state_dict' not in checkpoint:
        raise CheckpointError(
            f'{source} holds {shortened(map(str, checkpoint))}; expected a checkpoint with a '
            f'state_dict, {WRITTEN_BY}.'
        )
    meta = {**(checkpoint.get('meta') or {}), KEY: dict(temperatures)}
    content = io.BytesIO()
    torch.save(dict(meta=meta, state_dict=weights_of(checkpoint, source)), content)
    write_whole(target, content.getvalue())


def use_temperatures(model: nn.Module, temperatures: Mapping[str, float]) -> None:
    """From now on, let a model divide the logits of each task by its temperature in evaluation.

    Of verb + noun data both are scaled before their log-probabilities are added to the action's.

    Args:
        model: A recognizer, a student, or a teacher, whose fused logits are scaled.
        temperatures: One per task of the model.

    Raises:
        ValueError: The tasks are others, or a temperature is not positive.
    """
    if isinstance(model, MultimodalTeacher):
        check_temperatures(temperatures, list(model.num_classes))
        model.register_forward_hook(lambda _, args, output: _scale_samples(output, temperatures))
        return
    recognizer = getattr(model, 'recognizer', model)
    check_temperatures(temperatures, list(num_classes_by_task(recognizer)))

    def scale(head: nn.Module, args: Any, output: Any) -> Any:
        return output if head.training else _divide(output, temperatures)

    recognizer.cls_head.register_forward_hook(scale)


def _divide(output: Any, temperatures: Mapping[str, float]) -> Any:
    if isinstance(output, Tensor):
        return output / temperatures[ACTION]
    if not isinstance(output, dict) or output.keys() != temperatures.keys():
        raise ValueError(
            'The head of this recognizer answers in several streams, which have no common '
            'temperature; scale the scores that it predicts.'
        )
    return {task: logits / temperatures[task] for task, logits in output.items()}


def _scale_samples(output: Any, temperatures: Mapping[str, float]) -> Any:
    """The samples that a teacher has predicted; its other outputs stay."""
    if isinstance(output, list):
        samples: SampleList = output
        for sample in samples:
            sample.set_field(_divide(sample.pred_score, temperatures), 'pred_score')
    return output
