"""Configs of the tools: a changed root moves every path below it, and nothing else."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmdistill.config_tools import (
    check_schedule,
    load_config,
    move_roots,
    own_options,
    take_holdout_clips,
)

CONFIG = """
data_root = 'data/demo/'
expert_dir = 'work_dirs/demo'
other_root = 'data/demo_2/'
name = 'data/demonstration'
dataset = dict(data_root=data_root, ann_file='train.csv', split='train')
pipeline = [dict(type='Load', path=data_root + 'detections.h5'), ('data/demo', 3, None)]
experts = dict(
    rgb=dict(checkpoint=expert_dir + '/rgb/best_*.pth'),
    flow=dict(checkpoint='work_dirs/demo_flow/best.pth'),
)
note = 'see data/demo/README'
epochs = 20
"""
CHILD = """
_base_ = 'base.py'
extra = dict(path=_base_.data_root + 'P01')
"""


@pytest.fixture
def config(tmp_path) -> Path:
    (tmp_path / 'base.py').write_text(CONFIG)
    (tmp_path / 'child.py').write_text(CHILD)
    return tmp_path / 'child.py'


def test_without_options_the_config_is_as_written(config):
    cfg = load_config(config)
    assert cfg.dataset.data_root == 'data/demo/'
    assert cfg.extra.path == 'data/demo/P01'
    assert Path(cfg.filename) == config


@pytest.mark.parametrize('new', ['/disk/set', '/disk/set/'])
def test_data_root_moves_everywhere(config, new):
    cfg = load_config(config, dict(data_root=new))
    assert cfg.data_root == new
    assert cfg.dataset.data_root == '/disk/set/'
    assert cfg.extra.path == '/disk/set/P01'
    assert cfg.pipeline[0].path == '/disk/set/detections.h5'
    assert list(cfg.pipeline[1]) == ['/disk/set', 3, None]
    assert Path(cfg.filename) == config


def test_what_only_looks_like_the_root_stays(config):
    before, after = load_config(config), load_config(config, dict(data_root='/disk/set'))
    for key in ('other_root', 'name', 'note', 'epochs', 'expert_dir', 'experts'):
        assert after[key] == before[key]
    assert after.dataset.ann_file == 'train.csv'


def test_two_roots_at_once(config):
    cfg = load_config(config, dict(data_root='work_dirs/demo', expert_dir='/results/'))
    assert cfg.dataset.data_root == 'work_dirs/demo/'
    assert cfg.experts.rgb.checkpoint == '/results/rgb/best_*.pth'
    assert cfg.experts.flow.checkpoint == 'work_dirs/demo_flow/best.pth'


def test_an_explicit_path_wins_over_the_moved_one(config):
    options = {'data_root': '/disk/set', 'dataset.data_root': '/elsewhere', 'epochs': 3}
    cfg = load_config(config, options)
    assert cfg.dataset.data_root == '/elsewhere'
    assert cfg.dataset.split == 'train'
    assert cfg.extra.path == '/disk/set/P01'
    assert cfg.epochs == 3


def test_options_are_left_as_they_were(config):
    options = dict(data_root='/disk/set')
    load_config(config, options)
    assert options == dict(data_root='/disk/set')


def test_root_that_the_config_does_not_have(config):
    config.with_name('bare.py').write_text('epochs = 3\n')
    with pytest.raises(KeyError, match=r"bare\.py has no top-level 'expert_dir' to change"):
        load_config(config.with_name('bare.py'), dict(expert_dir='/results'))


@pytest.mark.parametrize('root', ["''", "'/'", 'None'])
def test_root_that_begins_no_path(config, root):
    text = f"data_root = {root}\nlog = '/var/log'\nprefix = ''\n"
    config.with_name('rootless.py').write_text(text)
    with pytest.raises(ValueError, match=r'rootless\.py has data_root=.*set the paths themselves'):
        load_config(config.with_name('rootless.py'), dict(data_root='/disk/set'))


def test_missing_config(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no config '.*gone\.py'"):
        load_config(tmp_path / 'gone.py')


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('a = 1\nb = epoch\n', "'epoch' is not defined .*bad.py, line 2"),
        ('a = (1\n', 'never closed'),
        ("_base_ = 'gone.py'\n", "No such file or directory: '.*gone.py'"),
        ("_base_ = 'child.py'\nx = _base_.lr\n", "no attribute 'lr'"),
        ("_base_ = 'child.py'\ndata_root = dict(a=1)\n", 'data_root=.*is of type'),
        ("_base_ = 'bad.py'\n", 'recursion'),
        ("custom_imports = dict(imports=['no_such'])\n", r"custom modules from .*no_such'\]}\.$"),
        ("x = dict(a=1)['b']\n", 'KeyError: b .*bad.py, line 1'),
    ],
)
def test_a_config_that_cannot_be_read_is_named_with_its_line(config, text, expected):
    bad = config.with_name('bad.py')
    bad.write_text(text)
    with pytest.raises(ValueError, match=f'bad.py cannot be read: .*{expected}'):
        load_config(bad)


def test_deeper_root_moves_on_its_own():
    moves = {'x': '/data', 'x/experts': 'x/y'}
    paths = ['x/experts/rgb', 'x/experts', 'x/experts_2', 'x']
    assert move_roots(paths, moves) == ['x/y/rgb', 'x/y', '/data/experts_2', '/data']


def test_containers_keep_their_types():
    node = dict(a=['x/y', ('x', 'xy', 1.5)], b={'c': 'y/x', 'd': 'x/'})
    assert move_roots(node, {'x': 'new'}) == dict(
        a=['new/y', ('new', 'xy', 1.5)], b={'c': 'y/x', 'd': 'new/'}
    )


def test_the_holdout_is_read_as_the_test_is():
    cfg = load_config('configs/unimodal/swin_ek100_flow.py')
    assert cfg.holdout_dataloader.dataset.pipeline.load.inputs == 'rgb'
    take_holdout_clips(cfg)
    dataset = cfg.test_dataloader.dataset
    assert (dataset.split, dataset.pipeline.load.inputs) == ('holdout', 'flow')
    cfg.holdout_dataloader = None
    with pytest.raises(ValueError, match='no holdout_dataloader'):
        take_holdout_clips(cfg)


def test_roots_that_a_config_lacks_are_left_out(config, tmp_path):
    (tmp_path / 'one.py').write_text("data_root = 'data/demo/'\n")
    options = dict(data_root='x', expert_dir='y', epochs=3)
    assert own_options(config, options) == options
    assert own_options(tmp_path / 'one.py', options) == dict(data_root='x', epochs=3)
    assert own_options(tmp_path / 'nowhere.py', dict(epochs=3)) == dict(epochs=3)


def test_an_index_past_the_end_of_a_list_adds_an_element(config):
    hooks = [{'custom_hooks.0.type': 'A', 'custom_hooks.1.type': 'B', 'custom_hooks.1.n': 3}]
    config.with_name('hooks.py').write_text("custom_hooks = [dict(type='Old', n=1)]\n")
    assert load_config(config.with_name('hooks.py'), *hooks).custom_hooks == [
        dict(type='A', n=1),
        dict(type='B', n=3),
    ]
    with pytest.raises(KeyError, match='Index 2 exceeds the length of list'):
        load_config(config.with_name('hooks.py'), {'custom_hooks.2.type': 'B'})


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(train_cfg=dict(max_epochs=0)), 'train_cfg.max_epochs must be a whole number >= 1'),
        (dict(train_cfg=dict(max_iters=-5)), 'train_cfg.max_iters must be a whole number >= 1'),
        (dict(optim_wrapper=dict(optimizer=dict(lr=float('nan')))), 'lr must be a finite number'),
    ],
)
def test_a_training_of_nothing(settings, message):
    with pytest.raises(ValueError, match=message):
        check_schedule(Config(settings))
    check_schedule(Config(dict(train_cfg=dict(max_epochs=1), optim_wrapper=None)))
