"""Killed and resumed, a run with dropout, mixup, EMA and momentum ends with the same bits."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmdistill.hooks import RngStateHook
from mmdistill.resume import latest_checkpoint

from .exact_runs import mixed_precision_on_cpu, resumable, run, states

HALF = dict(type='AmpOptimWrapper', loss_scale=dict(init_scale=1024.0, growth_interval=2))


@pytest.fixture
def config(distillation, tmp_path, recognizer_config):
    """Two epochs of three iterations with everything that has a state."""

    def build(work_dir, **changes):
        folder = str(tmp_path / work_dir)
        return resumable(distillation, recognizer_config, work_dir=folder, **changes)

    return build


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


def kill_and_resume(config, tmp_path, ranks=1, kill=5, left=None, **changes):
    """Run to the end, killed and not; returns the two last checkpoints' states."""
    assert run(config('whole', ranks=ranks, **changes), ranks) == {0}
    killed = config('killed', ranks=ranks, kill=dict(iteration=kill), **changes)
    assert run(killed, ranks) == {-signal.SIGKILL}
    found = latest_checkpoint(tmp_path / 'killed')
    assert found.endswith(left)
    resumed = config('killed', ranks=ranks, load_from=found, resume=True, **changes)
    assert run(resumed, ranks) == {0}
    last = 'iter_6.pth' if left.startswith('iter') else 'epoch_2.pth'
    return (states(tmp_path / name / last) for name in ('killed', 'whole'))


WITHIN = dict(saving=dict(by_epoch=False, interval=2), left='iter_4.pth')
WAYS = dict(
    epochs=dict(left='epoch_1.pth'),
    within=WITHIN,
    at_the_end=dict(saving=dict(by_epoch=False, interval=3), left='iter_3.pth'),
    iterations=dict(WITHIN, loop='iter'),
)


SLOW = {'at_the_end', 'within'}


@pytest.mark.parametrize(
    'way',
    [
        pytest.param(way, id=name, marks=pytest.mark.slow if name in SLOW else ())
        for name, way in WAYS.items()
    ],
)
def test_killed_and_resumed_is_the_same_to_the_bit(config, tmp_path, way):
    assert_same(*kill_and_resume(config, tmp_path, **way))


def test_in_mixed_precision_too(config, tmp_path, monkeypatch):
    mixed_precision_on_cpu(monkeypatch)
    optimizer = dict(type='SGD', lr=0.01, momentum=0.9)
    half = dict(WITHIN, optim_wrapper=dict(HALF, optimizer=optimizer))
    ours, theirs = kill_and_resume(config, tmp_path, **half)
    assert_same(ours, theirs)
    # The scale has grown on the way, and with it what a resume has to restore.
    assert theirs['optimizer']['loss_scaler']['scale'] == 1024.0 * 2**3
    run(config('single'))
    single = states(tmp_path / 'single/epoch_2.pth')['state_dict']
    assert any(not torch.equal(x, single[key]) for key, x in theirs['state_dict'].items())


@pytest.mark.parametrize(
    'way',
    [
        pytest.param(WITHIN, id='within'),
        pytest.param(WAYS['epochs'], id='epochs', marks=pytest.mark.slow),
    ],
)
def test_on_two_processes_too(config, tmp_path, way):
    ours, theirs = kill_and_resume(config, tmp_path, ranks=2, **way)
    assert len(theirs['rng']) == 2
    assert_same(ours, theirs)


def test_without_the_generators_it_would_not_be(config, train, tmp_path, monkeypatch):
    train(config('whole'))
    monkeypatch.setattr(RngStateHook, '_restore', lambda *_: None)
    first = str(tmp_path / 'whole/epoch_1.pth')
    train(config('other', load_from=first, resume=True))
    ours, theirs = (states(tmp_path / d / 'epoch_2.pth')['state_dict'] for d in ('other', 'whole'))
    assert any(not torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_sampler_that_cannot_skip_is_named(config, train, tmp_path):
    saving = dict(saving=dict(by_epoch=False, interval=2))
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


@pytest.mark.slow
@pytest.mark.parametrize('flags', [(), ('--amp', '--ranks', '2', '--save-every', '4')])
def test_the_script_kills_resumes_and_compares(tmp_path, flags):
    script = Path(__file__).with_name('kill_and_resume.py')
    command = [sys.executable, script, '--kills', '2', '--work-dir', tmp_path, *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.count('same') >= 6 and 'killed 2 times' in done.stdout
