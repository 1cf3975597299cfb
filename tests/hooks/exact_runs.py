"""Runs with everything that has a state, killed at an iteration, on one or several processes."""

import functools
import hashlib
import multiprocessing
import os
import signal
import socket

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim.optimizer import amp_optimizer_wrapper

from mmdistill.compat import adapt_to_cpu
from mmdistill.registry import HOOKS
from mmdistill.runner import CheckedRunner

STATES = ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers', 'distillation', 'rng')
CLIPS = 6  # of each process: three iterations an epoch


@HOOKS.register_module(name='KillAt')
class KillAt(Hook):
    """End this process as kill -9 does."""

    priority = 'LOWEST'

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            os.kill(os.getpid(), signal.SIGKILL)


def resumable(
    distillation, recognizer_config, epochs=2, ranks=1, loop='epoch', kill=None, saving=None, **more
):
    """The config of a run with dropout, mixup, momentum, schedules, EMA and a fitted weighting.

    `kill` are the arguments of KillAt, `saving` those of the checkpoints' hook.
    """
    iterations = epochs * CLIPS // 2
    loops = dict(
        epoch=dict(type='EpochBasedTrainLoop', max_epochs=epochs),
        iter=dict(type='IterBasedTrainLoop', max_iters=iterations),
    )
    settings = dict(
        train_cfg=loops[loop],
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
        param_scheduler=[
            dict(type='CosineAnnealingLR', T_max=iterations, by_epoch=False),
            dict(type='StepLR', step_size=1, by_epoch=loop == 'epoch'),
        ],
        custom_hooks=[
            dict(type='mmdistill.DistillationLossHook'),
            dict(type='EMAHook'),
            *([dict(type='mmdistill.KillAt', **kill)] if kill else []),
        ],
        default_hooks=dict(
            rng_state=dict(type='mmdistill.RngStateHook'),
            rank_buffers=dict(type='mmdistill.RankBuffersHook'),
            sync_buffers=dict(type='SyncBuffersHook'),
            checkpoint=dict(
                type='mmdistill.SafeCheckpointHook', **{'interval': 1, **(saving or {})}
            ),
        ),
    )
    cfg = distillation(**(settings | more))
    cfg['model']['recognizer'] = recognizer_config(dropout_ratio=0.5)
    cfg['model']['recognizer']['data_preprocessor']['blending'] = dict(
        type='RandomBatchAugment',
        augments=[dict(type='MixupBlending', alpha=0.8, num_classes=4)],
        probs=0.7,
    )
    sampler = 'EpochSampler' if loop == 'epoch' else 'EndlessSampler'
    cfg['train_dataloader']['sampler'] = dict(type=f'mmdistill.{sampler}', shuffle=True)
    cfg['train_dataloader']['dataset']['num_clips'] = CLIPS * ranks
    return cfg


def run(cfg, ranks=1):
    """Train in processes of their own; returns the set of their exit codes."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context('fork')
    started = [
        context.Process(target=_train, args=(cfg, rank, ranks, port)) for rank in range(ranks)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join(900)
    return {process.exitcode for process in started}


def _train(cfg, rank, ranks, port):
    # What a process has drawn before must not matter.
    torch.manual_seed(os.getpid())
    torch.set_num_threads(1)
    config = Config(cfg)
    if ranks > 1:
        os.environ |= dict(
            MASTER_ADDR='127.0.0.1',
            MASTER_PORT=str(port),
            RANK=str(rank),
            LOCAL_RANK=str(rank),
            WORLD_SIZE=str(ranks),
        )
        config.launcher = 'pytorch'
        config = adapt_to_cpu(config)
    CheckedRunner.from_cfg(config).train()


def mixed_precision_on_cpu(patch):
    """MMEngine refuses AMP without an accelerator; torch itself has all of it on a CPU."""
    patch.setattr(amp_optimizer_wrapper, 'is_cuda_available', lambda: True)
    scaler = functools.partial(torch.amp.GradScaler, 'cpu')
    patch.setattr(amp_optimizer_wrapper, 'GradScaler', scaler)


def states(path):
    """What must not depend on an interruption."""
    checkpoint = torch.load(path, weights_only=True)
    return {name: checkpoint[name] for name in STATES}


def digest(value):
    """Hash of every bit in nested dicts, lists and tensors."""
    found = hashlib.sha256()
    _add(found, value)
    return found.hexdigest()


def _add(found, value):
    found.update(type(value).__name__.encode())
    if isinstance(value, torch.Tensor):
        found.update(f'{value.dtype}{tuple(value.shape)}'.encode())
        found.update(value.cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    elif isinstance(value, dict):
        for key, item in value.items():
            _add(found, key)
            _add(found, item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _add(found, item)
    else:
        found.update(repr(value).encode())
