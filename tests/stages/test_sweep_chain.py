"""The stages of a sweep: which there are, what makes them run again, and what does not."""

from dataclasses import replace
from pathlib import Path

import pytest
from mmengine.config import Config

from mmdistill.cache import Manifest
from mmdistill.cli import commands
from mmdistill.stages.sweep_chain import SweepSettings, sweep_runs, sweep_stages, write_configs

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    cache = Manifest(1, 8, None, ['rgb'], dict(verb=8), {}, ['clip'], dict(seed=5))
    cache.write(tmp_path / 'cache')
    return SweepSettings(
        config='projects/demo/configs/student.py',
        cache=tmp_path / 'cache',
        grid={'temperature': [1, 4], 'lambda': 0.9},
        work_dir=tmp_path / 'sweep',
        seeds=(0, 1),
        options={'train_cfg.max_epochs': 2},
    )


def identities(settings):
    """Of the trainings, by name, once the configs are written."""
    runs = sweep_runs(settings)
    write_configs(settings, runs)
    return {s.name: s.identity({}) for s in sweep_stages(settings, runs) if not s.needs}


def test_every_seed_of_every_point_is_trained_and_tested(settings):
    runs = sweep_runs(settings)
    write_configs(settings, runs)
    stages = sweep_stages(settings, runs)
    assert len(stages) == 2 * 4
    assert [run.seed for run in runs] == [0, 0, 1, 1]
    seen, owned = set(), set()
    for stage in stages:
        assert set(stage.needs) <= seen and not owned & set(stage.owned)
        assert stage.command[0] in commands() or (ROOT / stage.command[0]).is_file()
        seen.add(stage.name)
        owned |= set(stage.owned)
    train, test = stages[:2]
    assert train.command[-2:] == ('--seed', '0') and train.resume == ('--resume',)
    assert str(test.command[2]) == f'{train.owned[0]}/best*.pth'


def test_the_configs_are_complete_and_say_what_the_point_is(settings):
    runs = sweep_runs(settings)
    write_configs(settings, runs)
    for run in runs:
        cfg = Config.fromfile(run.config)
        assert cfg.model.losses.soft_target.temperature == run.point['temperature']
        assert cfg.model.label_weight == pytest.approx(1 - run.point['lambda'])
        assert cfg.train_cfg.max_epochs == 2
        assert cfg.teacher_cache == str(settings.cache)
        assert cfg.train_dataloader.sampler.augmentation_seed == 5
        assert cfg.test_dataloader.dataset.split == 'holdout'
        # Steps of a pipeline keep their order.
        assert list(cfg.train_dataloader.dataset.pipeline) == ['sample', 'load', 'pack']


def test_more_values_and_seeds_leave_the_finished_runs_alone(settings):
    before = identities(settings)
    more = replace(settings, grid={'lambda': [0.5, 0.9], 'temperature': [1, 4, 8]}, seeds=(0, 1, 2))
    after = identities(more)
    assert len(after) == 2 * 3 * 3 and before.items() <= after.items()


def test_another_cache_setting_or_split_trains_again(settings):
    before = identities(settings)
    options = identities(replace(settings, options={'train_cfg.max_epochs': 3}))
    split = identities(replace(settings, split='test'))
    read = Manifest(2, 8, None, ['rgb'], dict(verb=8), {}, ['clip'], dict(seed=5))
    read.write(settings.cache)
    views = identities(settings)
    for changed in (options, split, views):
        assert all(changed[name] != identity for name, identity in before.items())


def test_without_a_cache_the_command_that_writes_one_is_named(settings, tmp_path):
    settings = replace(settings, cache=tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError, match='holds no teacher cache.*cache-teacher'):
        write_configs(settings, sweep_runs(settings))
