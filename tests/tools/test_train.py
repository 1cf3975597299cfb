"""tools/train.py: what its flags make of a config; the EK100 configs on a rendered data set."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from mmdistill.metrics import load_scores

ROOT = Path(__file__).parents[2]
EXPERTS = ('swin_ek100_rgb', 'swin_ek100_flow', 'stlt_ek100_obj')
STUDENT = 'swin_ek100_rgbflowobj'
# The command line of the README, where a shell expands it: the models as they are, on clips of a
# quarter of the frames and a quarter of the width and height.
REDUCED = """
    load_from=None train_cfg.max_epochs=1
    {train,holdout,val,test}_dataloader.num_workers=1
    {train,holdout,val,test}_dataloader.dataset.pipeline.sample.clip_len=8
    train_dataloader.dataset.pipeline.load.geometry.resize.scale='(56,56)'
    {holdout,val,test}_dataloader.dataset.pipeline.load.geometry.shorter_side.scale='(-1,64)'
    {holdout,val,test}_dataloader.dataset.pipeline.load.geometry.crop.crop_size=56
"""

CONFIG = """
default_scope = 'mmaction'
data_root = 'data/EK/'
load_from = 'https://example.org/weights.pth'
randomness = dict(seed=7)
auto_scale_lr = dict(enable=False, base_batch_size=64)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
val_cfg = dict(type='ValLoop')
val_dataloader = dict(dataset=dict(data_root=data_root))
val_evaluator = dict(type='mmdistill.TaskAccuracy')
"""


@pytest.fixture(scope='module')
def tool(load_tool):
    return load_tool('train.py')


@pytest.fixture
def built(tool, tmp_path, monkeypatch):
    """What a command line makes of a small config, before it is adapted to the machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setattr(tool, 'adapt_to_cpu', lambda cfg: cfg)
    Path('toy.py').write_text(CONFIG)
    return lambda *flags: tool.build_config(tool.parse_args(['toy.py', *flags]))


def test_without_flags_the_config_counts(built):
    cfg = built()
    assert cfg.work_dir == 'work_dirs/toy'
    assert cfg.launcher == 'none'
    assert cfg.load_from == 'https://example.org/weights.pth' and not cfg.get('resume')
    assert cfg.randomness == dict(seed=7, diff_rank_seed=False, deterministic=False)
    assert cfg.optim_wrapper.type == 'OptimWrapper'
    assert not cfg.auto_scale_lr.enable
    assert cfg.val_cfg and cfg.val_dataloader and cfg.val_evaluator


def test_the_work_dir_is_the_flag_or_else_the_configs_own(built):
    assert built('--work-dir', 'elsewhere').work_dir == 'elsewhere'
    with Path('toy.py').open('a') as file:
        file.write("work_dir = 'mine'\n")
    assert built().work_dir == 'mine'
    assert built('--work-dir', 'elsewhere').work_dir == 'elsewhere'


def test_resume_finds_the_last_checkpoint_or_takes_the_given_one(built):
    # There is none yet: the run begins as it would without the flag, from the same weights.
    cfg = built('--resume')
    assert not cfg.get('resume') and cfg.load_from == 'https://example.org/weights.pth'
    Path('epoch_3.pth').touch()
    cfg = built('--resume', 'epoch_3.pth')
    assert cfg.resume and cfg.load_from == 'epoch_3.pth'


@pytest.mark.parametrize(
    'flags', [('--resume', 'epoch_4.pth'), ('--cfg-options', 'load_from=epoch_4.pth')]
)
def test_a_missing_checkpoint_names_those_there(built, flags):
    Path('epoch_3.pth').touch()
    with pytest.raises(FileNotFoundError, match=r'no checkpoint epoch_4.pth \(. holds epoch_3'):
        built(*flags)


def test_the_seed_replaces_the_configs(built):
    assert built('--seed', '0').randomness.seed == 0
    cfg = built('--diff-rank-seed', '--deterministic')
    assert cfg.randomness == dict(seed=7, diff_rank_seed=True, deterministic=True)


def test_amp_scales_the_loss_and_keeps_the_optimizer(built):
    cfg = built('--amp')
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert cfg.optim_wrapper.loss_scale == 'dynamic'
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=0.1)
    assert built('--amp', '--cfg-options', 'optim_wrapper.loss_scale=4').optim_wrapper == dict(
        type='AmpOptimWrapper', loss_scale=4, optimizer=dict(type='SGD', lr=0.1)
    )


def test_validation_can_be_left_out(built):
    cfg = built('--no-validate')
    assert cfg.val_cfg is None and cfg.val_dataloader is None and cfg.val_evaluator is None


def test_the_learning_rate_can_follow_the_batch_size(built):
    assert built('--auto-scale-lr').auto_scale_lr == dict(enable=True, base_batch_size=64)


def test_options_override_and_move_paths(built):
    cfg = built('--cfg-options', 'optim_wrapper.optimizer.lr=0.2', 'data_root=data/demo')
    assert cfg.optim_wrapper.optimizer.lr == 0.2
    assert cfg.val_dataloader.dataset.data_root == 'data/demo/'


def test_two_processes_are_told_their_rank(tool, monkeypatch):
    monkeypatch.delenv('LOCAL_RANK', raising=False)
    monkeypatch.setattr(tool.os, 'environ', {})
    tool.parse_args(['toy.py', '--local-rank', '1'])
    assert tool.os.environ['LOCAL_RANK'] == '1'


# The EK100 configs, as processes. Everything below is slow.


@pytest.fixture(scope='module')
def work(tmp_path_factory):
    return tmp_path_factory.mktemp('work')


@pytest.fixture(scope='module')
def options(tiny_data, work):
    """The command line's options as the shell hands them over."""
    listed = subprocess.run(
        ['bash', '-c', "printf '%s\n' " + ' '.join(REDUCED.split())],
        check=True,
        capture_output=True,
        text=True,
    )
    # Without the optimizer's state a checkpoint is a third of the size.
    small = 'default_hooks.checkpoint.save_optimizer=False'
    return ['--cfg-options', f'data_root={tiny_data}/', small, *listed.stdout.split()]


@pytest.fixture(scope='module')
def experts(run_tools, options, work):
    """The three experts, each trained for an epoch."""
    run_tools(
        *(
            ['tools/train.py', f'configs/unimodal/{name}.py', '--work-dir', work / name, *options]
            for name in EXPERTS
        )
    )
    return work


@pytest.fixture(scope='module')
def students(experts, run_tools, options):
    """The student, trained by one process and by two."""
    config, more = f'configs/distill/{STUDENT}.py', [*options, f'expert_dir={experts}']
    run_tools(['tools/train.py', config, '--work-dir', experts / STUDENT, *more])
    run_tools(['tools/dist_train.sh', config, '2', '--work-dir', experts / 'two', *more])
    return experts


@pytest.fixture(scope='module')
def measured(students, run_tools, options):
    """The same student, tested by one process and by two."""
    config, best = f'configs/distill/{STUDENT}.py', best_of(students / STUDENT)
    outputs = [
        ['--out', students / f'{n}.json', '--dump', students / f'{n}.npz'] for n in ('one', 'two')
    ]
    run_tools(
        ['tools/test.py', config, best, '--work-dir', students / 'log1', *outputs[0], *options],
        [
            *('tools/dist_test.sh', config, best, '2'),
            *('--work-dir', students / 'log2', *outputs[1], *options),
        ],
    )
    return students


def best_of(folder: Path) -> Path:
    (best,) = folder.glob('best_*.pth')
    return best


def scalars(folder: Path) -> list[dict]:
    """Everything that the runs of a work dir logged, the earliest run first."""
    files = sorted(folder.glob('*/vis_data/scalars.json'))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize('name', EXPERTS)
def test_an_expert_ends_its_epoch(experts, name):
    assert best_of(experts / name).name.startswith('best_acc_action_top1_epoch_1')
    logged = scalars(experts / name)
    assert any(row.get('epoch') == 1 and row['verb/loss_cls'] > 0 for row in logged if 'lr' in row)
    assert 0 <= logged[-1]['acc/action/top1'] <= logged[-1]['acc/verb/top1'] <= 1


@pytest.mark.slow
def test_a_student_ends_its_epoch_and_its_test(measured):
    row = next(row for row in scalars(measured / STUDENT) if 'lr' in row)
    assert row['verb/loss_soft_target'] > 0 and row['noun/loss_soft_target'] > 0
    result = json.loads((measured / 'one.json').read_text())
    assert result['num_samples'] == 8
    assert {'acc/action/top1', 'acc/unseen/action/top1', 'calibration/action/ece'} <= set(
        result['metrics']
    )
    table = load_scores(measured / 'one.npz')
    assert table.scores['verb'].shape == (8, 1, 97) and table.scores['noun'].shape == (8, 1, 300)


@pytest.mark.slow
def test_two_processes_have_the_teacher_of_one(students):
    one, two = (
        torch.load(best_of(students / name), weights_only=False)['distillation']
        for name in (STUDENT, 'two')
    )
    assert one['experts'] == two['experts'] == ['rgb', 'flow', 'obj']
    assert set(one['weighting']) == {'verb', 'noun'}
    # The holdout is batched differently, which moves logits in the last bits of float32.
    torch.testing.assert_close(one['weighting'], two['weighting'], rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_two_processes_have_the_metrics_of_one(measured):
    one, two = (json.loads((measured / f'{name}.json').read_text()) for name in ('one', 'two'))
    assert one['checkpoint_sha256'] == two['checkpoint_sha256']
    assert two['num_samples'] == 8
    assert two['metrics'] == pytest.approx(one['metrics'], rel=1e-4, abs=1e-6)


@pytest.mark.slow
def test_a_killed_training_continues_at_its_next_epoch(start_tool, run_tools, options, work):
    folder = work / 'killed'
    command = ['tools/train.py', 'configs/unimodal/stlt_ek100_obj.py', '--work-dir', folder]
    command += [*options, 'model.cls_head.encoder.num_layers=(1,1)', 'train_cfg.max_epochs=30']
    command += ['default_hooks.checkpoint.save_optimizer=True']
    process, log = start_tool(*command)
    try:
        while not (folder / 'last_checkpoint').exists() and process.poll() is None:
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL, log.read_text()[-4000:]
    done = torch.load((folder / 'last_checkpoint').read_text(), weights_only=False)['meta']['epoch']

    before = len(scalars(folder))
    run_tools([*command, f'train_cfg.max_epochs={done + 1}', '--resume'])
    resumed = [row for row in scalars(folder)[before:] if 'lr' in row]
    assert {row['epoch'] for row in resumed} == {done + 1}
    assert (folder / f'epoch_{done + 1}.pth').exists()
