"""A runner resumes its own training only, and says what it has loaded of another model."""

import re
from itertools import count
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from torch import nn

from mmdistill.checkpoints import CheckpointError
from mmdistill.runner import CheckedRunner

NUMBERS = count()


@MODELS.register_module(name='Layers')
class Layers(BaseModel):
    """A backbone of a linear layer and a classifier."""

    def __init__(self, width=4, classes=3):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width))
        self.cls_head = nn.Linear(width, classes)

    def forward(self, inputs, mode):
        return dict(loss=self.cls_head(self.backbone(torch.stack(inputs))).square().mean())


class Clips(list):
    """A data set of nothing but its clips."""

    metainfo = dict(classes=['one'])


def config(work_dir: Path, epochs: int = 1, **changes) -> dict:
    clips = Clips(dict(inputs=torch.full((2,), float(i))) for i in range(4))
    cfg = dict(
        default_scope='mmaction',
        model=dict(type='Layers'),
        work_dir=str(work_dir),
        train_dataloader=dict(
            batch_size=2,
            num_workers=0,
            dataset=clips,
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        param_scheduler=[dict(type='StepLR', step_size=1, end=9)],
        default_hooks=dict(checkpoint=dict(type='mmdistill.SafeCheckpointHook', interval=1)),
        randomness=dict(seed=0),
    )
    return cfg | changes


def train(cfg: dict) -> CheckedRunner:
    built = Config(cfg)
    built.experiment_name = f'test_runner_{next(NUMBERS)}'
    runner = CheckedRunner.from_cfg(built)
    runner.train()
    return runner


@pytest.fixture
def saved(tmp_path) -> Path:
    """The checkpoint of one epoch."""
    train(config(tmp_path / 'run'))
    return tmp_path / 'run/epoch_1.pth'


def log_of(runner: CheckedRunner) -> str:
    [file] = Path(runner.log_dir).glob('*.log')
    return ' '.join(file.read_text().split())


def change(path: Path, **changes) -> Path:
    """A copy of a checkpoint with other entries; None removes one."""
    content = torch.load(path, weights_only=True) | changes
    target = path.with_name('changed.pth')
    torch.save({key: value for key, value in content.items() if value is not None}, target)
    return target


def test_it_resumes_its_own_checkpoint(saved, tmp_path):
    runner = train(config(tmp_path / 'run', epochs=2, resume=True))
    assert runner.epoch == 2 and runner.iter == 4
    whole = train(config(tmp_path / 'whole', epochs=2))
    ours, theirs = (x.model.state_dict() for x in (runner, whole))
    assert all(torch.equal(x, theirs[key]) for key, x in ours.items())


def test_a_resume_without_a_checkpoint_begins_at_the_beginning(tmp_path):
    runner = train(config(tmp_path / 'new', resume=True))
    log = log_of(runner)
    assert f'There is no checkpoint in {tmp_path}/new: starting from the beginning.' in log
    assert 'None' not in log.partition('There is no checkpoint')[2][:200]
    assert runner.epoch == 1


OTHER = {
    'a wider model': dict(model=dict(type='Layers', width=8)),
    'other classes': dict(model=dict(type='Layers', classes=5)),
    'another optimizer': dict(optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.1))),
    'other groups': dict(
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=0.1, momentum=0.9),
            paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
        )
    ),
    'another schedule': dict(param_scheduler=[dict(type='CosineAnnealingLR', T_max=3)]),
    'one schedule more': dict(param_scheduler=[dict(type='StepLR', step_size=1, end=9)] * 2),
}
SAID = {
    'a wider model': 'is of another model than .*: 1 of 8 weights fit; of another shape: backbone',
    'other classes': 'is of another model than .*: 6 of 8 weights fit; of another shape: cls_head',
    'another optimizer': 'of another optimizer than AdamW',
    'other groups': 'its optimizer has 1 groups of 6 weights, that of this config 6 groups',
    'another schedule': 'has the state of 1 param_scheduler, this config has 1, or they are of',
    'one schedule more': 'has the state of 1 param_scheduler, this config has 2',
}


@pytest.mark.parametrize('name', OTHER)
def test_it_does_not_resume_another_training(saved, tmp_path, name):
    before = saved.read_bytes()
    with pytest.raises(CheckpointError, match=f'^{re.escape(str(saved))} .*{SAID[name]}') as caught:
        train(config(tmp_path / 'run', epochs=2, resume=True, **OTHER[name]))
    assert '\n' not in str(caught.value) and f'load_from={saved}' in str(caught.value)
    assert saved.read_bytes() == before


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        (dict(optimizer=None), 'no state of the optimizer'),
        (dict(param_schedulers=None), 'no state of the param_scheduler'),
        (dict(message_hub=None), 'no log history'),
        (dict(meta=None), 'does not say at which epoch'),
        (dict(state_dict=None), 'has no state_dict'),
    ],
)
def test_it_does_not_resume_half_a_training(saved, tmp_path, changes, expected):
    path = change(saved, **changes)
    with pytest.raises(CheckpointError, match=f'^{re.escape(str(path))} .*{expected}'):
        train(config(tmp_path / 'run', epochs=2, resume=True, load_from=str(path)))


def test_momentum_of_another_shape_is_refused(saved, tmp_path):
    optimizer = torch.load(saved, weights_only=True)['optimizer']
    optimizer['state'][0]['momentum_buffer'] = torch.zeros(7)
    path = change(saved, optimizer=optimizer)
    with pytest.raises(CheckpointError, match=r'momentum_buffer .* shape \(7,\) for a .* \(4, 2\)'):
        train(config(tmp_path / 'run', epochs=2, resume=True, load_from=str(path)))


@pytest.mark.parametrize('name', ['ema_state_dict', 'optimizer'])
def test_what_else_does_not_fit_names_the_file(saved, tmp_path, name):
    content = torch.load(saved, weights_only=True)
    wrong = dict(content['optimizer'], state=3) if name == 'optimizer' else dict(steps='x')
    path = change(saved, **{name: wrong})
    cfg = config(tmp_path / 'run', epochs=2, resume=True, load_from=str(path))
    with pytest.raises(CheckpointError, match=rf'^{re.escape(str(path))} cannot be resumed: ') as e:
        train(cfg | dict(custom_hooks=[dict(type='EMAHook')]))
    assert '\n' not in str(e.value)


def test_another_precision_is_told(saved, tmp_path):
    optimizer = torch.load(saved, weights_only=True)['optimizer'] | dict(loss_scaler={})
    path = change(saved, optimizer=optimizer)
    runner = train(config(tmp_path / 'run', epochs=2, resume=True, load_from=str(path)))
    assert 'was trained in mixed precision, this run goes on in full precision' in log_of(runner)


def test_a_schedule_that_goes_on_as_it_began_is_told(saved, tmp_path):
    longer = [dict(type='StepLR', step_size=3, end=9)]
    runner = train(config(tmp_path / 'run', epochs=2, resume=True, param_scheduler=longer))
    assert 'continues with step_size=1 as it began, not with step_size=3' in log_of(runner)


def test_a_config_inside_a_checkpoint_is_not_run(saved, tmp_path):
    """MMEngine executes `meta.config` of a checkpoint that is resumed as Python."""
    marker = tmp_path / 'ran'
    meta = torch.load(saved, weights_only=True)['meta']
    code = f'open({str(marker)!r}, "w").close()\n'
    path = change(saved, meta=meta | dict(config=code))
    train(config(tmp_path / 'run', epochs=2, resume=True, load_from=str(path)))
    assert not marker.exists()


def test_the_best_checkpoint_of_another_work_dir_is_left_alone(saved, tmp_path):
    """A run that is resumed from a copy deletes nothing where it came from."""
    old = tmp_path / 'old/best_loss_epoch_1.pth'
    old.parent.mkdir()
    old.touch()
    hub = torch.load(saved, weights_only=True)['message_hub']
    for value in (str(old), '/', f'{tmp_path}/old/..'):
        hub['runtime_info'].update(best_ckpt=value, best_score=9.0, keep_ckpt_ids=[1])
        hub['resumed_keys'].update(best_ckpt=True, best_score=True, keep_ckpt_ids=True)
        path = change(saved, message_hub=hub)
        hook = dict(type='mmdistill.SafeCheckpointHook', save_best='loss', rule='less')
        runner = train(
            config(
                tmp_path / 'copy',
                epochs=2,
                resume=True,
                load_from=str(path),
                default_hooks=dict(checkpoint=hook),
            )
        )
        [hook] = [h for h in runner.hooks if type(h).__name__ == 'SafeCheckpointHook']
        assert hook.best_ckpt_path in (None, f'{tmp_path}/copy/{old.name}')
    assert old.exists()


def test_a_part_that_fits_is_loaded_and_its_share_is_told(saved, tmp_path):
    other = config(tmp_path / 'more', model=dict(type='Layers', classes=5), load_from=str(saved))
    other['optim_wrapper'] = dict(optimizer=dict(type='SGD', lr=0.0))
    runner = train(other)
    log = log_of(runner)
    assert f'WARNING - Of {saved} 6 of 8 weights fit; of another shape: cls_head.weight' in log
    assert 'A new classifier (cls_head) is normal' in log
    weight = torch.load(saved, weights_only=True)['state_dict']['backbone.0.weight']
    assert torch.equal(runner.model.backbone[0].weight, weight)


def test_nothing_that_fits_is_an_error(saved, tmp_path):
    content = torch.load(saved, weights_only=True)
    renamed = {f'encoder.{key}': value for key, value in content['state_dict'].items()}
    path = change(saved, state_dict=renamed)
    with pytest.raises(CheckpointError, match=r'^Nothing of .*changed\.pth fits .*: 0 of 8'):
        train(config(tmp_path / 'more', load_from=str(path)))


def test_weights_that_all_fit_need_no_words(saved, tmp_path):
    runner = train(config(tmp_path / 'more', load_from=str(saved)))
    assert 'WARNING - Of ' not in log_of(runner) and f'Load checkpoint from {saved}' in log_of(
        runner
    )


def test_a_training_begins_with_few_words_and_its_file_has_all(tmp_path, capsys):
    runner = train(config(tmp_path))
    console = capsys.readouterr().out
    first = console.splitlines()[0]
    assert f'config in {tmp_path}: the whole config is there' in first
    assert len(console.splitlines()) < 12
    in_file = Path(runner.log_dir, f'{runner.timestamp}.log').read_text()
    for text in ('System environment', 'Hooks will be executed', 'momentum=0.9'):
        assert text in in_file and text not in console
    for line in console.splitlines():
        assert line.split(' - ', 2)[-1] in in_file


def test_whoever_wants_all_has_all(tmp_path, capsys):
    train(config(tmp_path, log_level='DEBUG'))
    assert 'System environment' in capsys.readouterr().out


def test_no_warning_comes_from_upstream_itself(tmp_path, capsys, recwarn):
    train(config(tmp_path, param_scheduler=None))
    assert 'WARNING' not in capsys.readouterr().out
    assert not recwarn.list
