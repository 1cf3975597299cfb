"""Which checkpoint a training continues from, and whether it is of the same training."""

import logging
from pathlib import Path
from typing import Any, cast

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from .checkpoints import (
    CheckpointError,
    compare_weights,
    read_checkpoint,
    shortened,
    weights_of,
)

LAST = 'last_checkpoint'  # MMEngine's note of the newest one
BEST = 'best_'  # the beginning of the name of a copy that training does not continue from
MESSAGES = ('log_scalars', 'runtime_info', 'resumed_keys')
# Entries of a schedule's state that change while it runs.
PROGRESS = {'last_step', '_global_step', '_last_value', 'base_values', 'verbose'}
# Entries of an optimizer's groups that do not tell which optimizer it is.
COMMON = {'params', 'initial_lr', 'lr', 'lr_scale', 'weight_decay'}


def latest_checkpoint(work_dir: str | Path) -> str | None:
    """The checkpoint that a training in this folder continues from; None where there is none.

    It is the one noted in `last_checkpoint`, in this folder first, since a work dir may have been
    copied. If that is gone or damaged it is the one that has come furthest by what it says itself:
    times and names of files do not count. Damaged ones are named in a warning.

    Raises:
        CheckpointError: There are checkpoints, but none that can be resumed.
    """
    folder = Path(work_dir)
    note = folder / LAST
    noted = note.read_text(errors='replace').strip() if note.is_file() else ''
    beside = folder / Path(noted).name
    first = [beside] if noted and beside.is_file() else []
    others = [p for p in folder.glob('*.pth') if p not in first and not p.name.startswith(BEST)]
    # With CheckpointHook(out_dir=…) the checkpoints are elsewhere.
    elsewhere = [Path(noted)] if noted and not first and Path(noted).is_file() else []
    for candidates in (first, others, elsewhere):
        known = [(at, path) for path in candidates if (at := _progress(path)) is not None]
        if known:
            return str(max(known)[1])
    there = [path.name for path in (*first, *others, *elsewhere)]
    if there:
        raise CheckpointError(
            f'None of the checkpoints in {folder} can be resumed ({shortened(there)}): give '
            'another one by --resume FILE, or another --work-dir.'
        )
    return None


def _progress(path: Path) -> tuple[int, int] | None:
    """Iteration and epoch of a checkpoint that can be resumed; None, with a warning, for others."""
    try:
        checkpoint = read_checkpoint(path, mapped=True)
        epoch, iteration = check_progress(checkpoint, path)
    except (CheckpointError, OSError) as error:
        print_log(f'{error} It is passed over.', 'current', logging.WARNING)
        return None
    return iteration, epoch


def check_progress(checkpoint: dict[str, Any], path: str | Path) -> tuple[int, int]:
    """Epoch and iteration at which a checkpoint was saved.

    Raises:
        CheckpointError: It does not say so, or lacks what else a resume needs.
    """
    meta, messages = checkpoint.get('meta'), checkpoint.get('message_hub')
    at = [meta.get(key) for key in ('epoch', 'iter')] if isinstance(meta, dict) else [None]
    if not all(isinstance(x, int) and x >= 0 for x in at):
        raise _not_resumable(path, 'it does not say at which epoch and iteration it was saved')
    if not isinstance(messages, dict) or not all(
        isinstance(messages.get(key), dict) for key in MESSAGES
    ):
        raise _not_resumable(path, 'it has no log history (message_hub), only weights')
    epoch, iteration = at
    return cast(int, epoch), cast(int, iteration)


def check_model(runner: Runner, checkpoint: dict[str, Any], path: str | Path) -> None:
    """Compare a checkpoint with the model that is to continue from it.

    Raises:
        CheckpointError: It is of another model, or lacks what a resume needs.
    """
    check_progress(checkpoint, path)
    # MMEngine would run the text as Python.
    checkpoint['meta'].pop('config', None)
    model = getattr(runner.model, 'module', runner.model)
    match = compare_weights(model, weights_of(checkpoint, path))
    if not match.complete:
        raise CheckpointError(
            f'{path} is of another model than {runner.cfg.filename or "the config"}: {match}. '
            'Resume with the config of that run, or start a new one from its weights with '
            f'--cfg-options load_from={path}.'
        )


def check_optimizer(runner: Runner, checkpoint: dict[str, Any], path: str | Path) -> None:
    """Compare the optimizer and the schedules of a checkpoint with those that are to continue.

    Raises:
        CheckpointError: They are others, or not in the checkpoint.
    """
    if isinstance(runner.optim_wrapper, OptimWrapper):
        _check_optimizer(runner, runner.optim_wrapper, checkpoint.get('optimizer'), path)
    _check_schedules(runner, checkpoint.get('param_schedulers'), path)


def _check_optimizer(runner: Runner, wrapper: OptimWrapper, state: Any, path: str | Path) -> None:
    if not isinstance(state, dict) or not {'state', 'param_groups'} <= state.keys():
        raise _not_resumable(path, 'it has no state of the optimizer (save_optimizer=False?)')
    optimizer = wrapper.optimizer
    saved, own = state['param_groups'], optimizer.state_dict()['param_groups']
    sizes = [[len(group['params']) for group in groups] for groups in (saved, own)]
    if sizes[0] != sizes[1]:
        raise _not_resumable(
            path,
            f'its optimizer has {_groups(sizes[0])}, that of this config {_groups(sizes[1])}',
        )
    theirs, ours = (set(groups[0]) - COMMON for groups in (saved, own))
    # Versions of torch add entries; two kinds of optimizer each have some of their own.
    if theirs - ours and ours - theirs:
        raise _not_resumable(
            path,
            f'it is of another optimizer than {type(optimizer).__name__} (its settings are '
            f'{", ".join(sorted(theirs))})',
        )
    _check_state(optimizer, state, path)
    if ('loss_scaler' in state) != hasattr(wrapper, 'loss_scaler'):
        before, now = ('mixed', 'full') if 'loss_scaler' in state else ('full', 'mixed')
        runner.logger.warning(
            f'{path} was trained in {before} precision, this run goes on in {now} precision: '
            'weights will differ from those of an uninterrupted run.'
        )


def _check_state(optimizer: torch.optim.Optimizer, state: dict[str, Any], path: Any) -> None:
    """Momentum and the like must have the shapes of the weights."""
    parameters: list[nn.Parameter] = [p for g in optimizer.param_groups for p in g['params']]
    numbers = [number for group in state['param_groups'] for number in group['params']]
    for number, parameter in zip(numbers, parameters, strict=True):
        for name, value in state['state'].get(number, {}).items():
            if isinstance(value, Tensor) and value.dim() and value.shape != parameter.shape:
                raise _not_resumable(
                    path,
                    f'{name} of its optimizer has the shape {tuple(value.shape)} for a weight of '
                    f'shape {tuple(parameter.shape)}',
                )


def _check_schedules(runner: Runner, saved: Any, path: str | Path) -> None:
    own = runner.param_schedulers
    if not isinstance(own, list):
        return
    if saved is None:
        raise _not_resumable(path, 'it has no state of the param_scheduler')
    theirs, ours = ([_kind(x) for x in schedules] for schedules in (saved, own))
    if theirs != ours:
        raise _not_resumable(
            path,
            f'it has the state of {len(theirs)} param_scheduler, this config has {len(ours)}, or '
            'they are of other kinds',
        )

    for before, now in zip(saved, own, strict=True):
        changed = {k for k, x in now.state_dict().items() if k not in PROGRESS and before[k] != x}
        if changed:
            runner.logger.warning(
                f'{type(now).__name__} continues with {_settings(before, changed)} as it began, '
                f'not with {_settings(now.state_dict(), changed)} of this config.'
            )


def _kind(schedule: Any) -> set[str]:
    """What a schedule keeps tells which one it is."""
    return set(schedule if isinstance(schedule, dict) else schedule.state_dict())


def _settings(state: dict[str, Any], names: set[str]) -> str:
    return ', '.join(f'{name}={state[name]}' for name in sorted(names))


def _groups(sizes: list[int]) -> str:
    return f'{len(sizes)} groups of {sum(sizes)} weights'


def _not_resumable(path: str | Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f'{path} cannot be resumed: {reason}. Resume with the config of that run, or start a new '
        f'one from its weights with --cfg-options load_from={path}.'
    )
