"""Killed and resumed, a run with dropout, mixup, EMA and momentum ends with the same bits."""

import multiprocessing
import os
import signal

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmdistill.hooks import RngStateHook, latest_checkpoint
from mmdistill.registry import HOOKS

STATES = ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers', 'distillation', 'rng')


@HOOKS.register_module(name='KillAt')
class KillAt(Hook):
    """End this process as kill -9 does."""

    priority = 'LOWEST'

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def config(distillation, tmp_path, recognizer_config):
    """Two epochs of three iterations with everything that has a state."""

    def build(work_dir, by_epoch=True, interval=1, loop='epoch', kill=None, **changes):
        loops = dict(
            epoch=dict(type='EpochBasedTrainLoop', max_epochs=2),
            iter=dict(type='IterBasedTrainLoop', max_iters=6),
        )
        cfg = distillation(
            work_dir=str(tmp_path / work_dir),
            train_cfg=loops[loop],
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
            param_scheduler=[
                dict(type='CosineAnnealingLR', T_max=6, by_epoch=False),
                dict(type='StepLR', step_size=1, by_epoch=loop == 'epoch'),
            ],
            custom_hooks=[
                dict(type='mmdistill.DistillationLossHook'),
                dict(type='EMAHook'),
                *([dict(type='mmdistill.KillAt', iteration=kill)] if kill else []),
            ],
            default_hooks=dict(
                rng_state=dict(type='mmdistill.RngStateHook'),
                checkpoint=dict(
                    type='mmdistill.SafeCheckpointHook', by_epoch=by_epoch, interval=interval
                ),
            ),
            **changes,
        )
        cfg['model']['recognizer'] = recognizer_config(dropout_ratio=0.5)
        cfg['model']['recognizer']['data_preprocessor']['blending'] = dict(
            type='RandomBatchAugment',
            augments=[dict(type='MixupBlending', alpha=0.8, num_classes=4)],
            probs=0.7,
        )
        sampler = 'EpochSampler' if loop == 'epoch' else 'EndlessSampler'
        cfg['train_dataloader']['sampler'] = dict(type=f'mmdistill.{sampler}', shuffle=True)
        return cfg

    return build


def run_and_die(cfg):
    """Run in a process of its own that kills itself."""

    def target():
        torch.manual_seed(1)
        config = Config(cfg)
        Runner.from_cfg(config).train()

    process = multiprocessing.get_context('fork').Process(target=target)
    process.start()
    process.join(300)
    assert process.exitcode == -signal.SIGKILL


def assert_same(ours, theirs, path=''):
    assert type(ours) is type(theirs), path
    if isinstance(ours, torch.Tensor):
        assert torch.equal(ours, theirs), path
    elif isinstance(ours, dict):
        assert list(ours) == list(theirs), path
        for key in ours:
            assert_same(ours[key], theirs[key], f'{path}/{key}')
    elif isinstance(ours, (list, tuple)):
        assert len(ours) == len(theirs), path
        for i, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_same(*pair, f'{path}/{i}')
    else:
        assert ours == theirs, path


def states(path):
    checkpoint = torch.load(path, weights_only=True)
    return {name: checkpoint[name] for name in STATES}


@pytest.mark.parametrize(
    ('saving', 'kill', 'left'),
    [
        (dict(), 5, 'epoch_1.pth'),
        (dict(by_epoch=False, interval=2), 5, 'iter_4.pth'),
        (dict(by_epoch=False, interval=3), 5, 'iter_3.pth'),
        (dict(by_epoch=False, interval=2, loop='iter'), 5, 'iter_4.pth'),
    ],
    ids=['epochs', 'within', 'at the end', 'iterations'],
)
def test_killed_and_resumed_is_the_same_to_the_bit(config, train, tmp_path, saving, kill, left):
    train(config('whole', **saving))
    run_and_die(config('killed', kill=kill, **saving))
    found = latest_checkpoint(tmp_path / 'killed')
    assert found.endswith(left)
    torch.manual_seed(77)
    train(config('killed', load_from=found, resume=True, **saving))
    last = 'epoch_2.pth' if saving.get('by_epoch', True) else 'iter_6.pth'
    assert_same(states(tmp_path / 'killed' / last), states(tmp_path / 'whole' / last))


def test_without_the_generators_it_would_not_be(config, train, tmp_path, monkeypatch):
    train(config('whole'))
    monkeypatch.setattr(RngStateHook, '_restore', lambda self: None)
    first = str(tmp_path / 'whole/epoch_1.pth')
    train(config('other', load_from=first, resume=True))
    ours, theirs = (states(tmp_path / d / 'epoch_2.pth')['state_dict'] for d in ('other', 'whole'))
    assert any(not torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_sampler_that_cannot_skip_is_named(config, train, tmp_path):
    saving = dict(by_epoch=False, interval=2)
    train(config('whole', **saving))
    cfg = config('resumed', load_from=str(tmp_path / 'whole/iter_4.pth'), resume=True, **saving)
    cfg['train_dataloader']['sampler']['type'] = 'DefaultSampler'
    with pytest.raises(ValueError, match=r'1 iterations into an epoch.*EpochSampler'):
        train(cfg)


def test_other_data_cannot_continue_an_epoch(config, train, tmp_path):
    train(config('whole'))
    cfg = config('resumed', load_from=str(tmp_path / 'whole/epoch_1.pth'), resume=True)
    cfg['train_dataloader']['dataset']['num_clips'] = 20
    with pytest.raises(ValueError, match='does not fit 10 iterations per epoch'):
        train(cfg)
