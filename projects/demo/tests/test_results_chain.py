"""The stages behind a results page: which there are, and which a row needs."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmdistill.cli import commands
from projects.demo.chain.demo_chain import DemoSettings
from projects.demo.chain.results_chain import (
    ResultsSettings,
    measured_seeds,
    results_stages,
    row_config,
)
from projects.demo.chain.results_rows import read_rows, select_rows

ROOT = Path(__file__).parents[3]
RENDER = ('-m', 'projects.demo.render')


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    return ResultsSettings(DemoSettings(), work_dir=tmp_path, num_seeds=2)


@pytest.fixture
def rows(settings):
    return read_rows(settings.load())


def test_every_stage_comes_after_what_it_needs_and_owns_its_files(settings, rows):
    seen, owned = set(), []
    for stage in results_stages(settings, rows):
        assert set(stage.needs) <= seen and stage.name not in seen
        assert stage.command[0] in commands() or stage.command[:2] == RENDER
        assert all(Path(path).is_file() for path in stage.inputs)
        seen.add(stage.name)
        owned += stage.owned
    assert len(owned) == len(set(owned))
    students = [row.name for row in rows.values() if row.kind == 'student']
    assert len(students) > 8
    assert {f'seed1_test_{name}' for name in (*students, 'rgb', 'flow', 'obj')} <= seen
    assert {'seed0_views_rgb', 'seed0_views_student'} <= seen


def test_a_row_without_a_teacher_needs_itself_the_baseline_and_rendered_clips(settings, rows):
    names = [s.name for s in results_stages(settings, select_rows(rows, ['smoothed']))]
    of_seed = {'rgb', 'test_rgb', 'smoothed', 'test_smoothed'}
    assert set(names) == {'render'} | {f'seed{seed}_{name}' for seed in (0, 1) for name in of_seed}
    assert len(names) == len(set(names))


def test_a_student_needs_the_cache_and_the_cache_all_experts(settings, rows):
    taught = {s.name: s for s in results_stages(settings, select_rows(rows, ['student_rgb']))}
    assert taught['seed1_student_rgb'].needs == ('seed1_cache',)
    assert str(settings.cache(1)) in taught['seed1_cache'].command
    of_seed = {'rgb', 'flow', 'obj', 'cache', 'student_rgb', 'test_student_rgb', 'test_rgb'}
    data = {'render', 'detector', 'extract_flow', 'extract_boxes'}
    assert set(taught) == data | {f'seed{seed}_{name}' for seed in (0, 1) for name in of_seed}


def test_a_teacher_needs_the_tests_of_its_experts_but_no_training(settings, rows):
    fused = {s.name for s in results_stages(settings, select_rows(rows, ['teacher_rgb_obj']))}
    assert {'seed0_test_rgb', 'seed0_test_flow', 'seed0_test_obj', 'seed0_cache'} <= fused
    assert not [name for name in fused if 'student' in name or 'teacher' in name]


def test_a_student_is_written_as_a_whole_config_of_its_seed(settings, rows):
    stages = {s.name: s for s in results_stages(settings, select_rows(rows, ['student_rgb_obj']))}
    cfg = Config.fromfile(stages['seed1_student_rgb_obj'].command[1])
    assert cfg.to_dict() == row_config(settings, rows['student_rgb_obj'], 1).to_dict()
    assert list(cfg.teacher.experts) == ['rgb', 'obj']
    assert cfg.train_dataloader.sampler.augmentation_seed == 1
    assert cfg.teacher_cache == str(settings.cache(1))
    assert cfg.teacher.experts.obj.checkpoint == f'{settings.run(1).work_dir}/obj/best_*.pth'


def test_a_row_is_measured_once_all_it_needs_is_finished(settings, rows):
    finished = {'seed0_test_rgb', 'seed0_test_flow', 'seed0_test_obj', 'seed1_test_rgb'}
    assert measured_seeds(settings, rows['rgb'], finished) == [0, 1]
    assert measured_seeds(settings, rows['teacher'], finished) == []
    assert measured_seeds(settings, rows['teacher'], {*finished, 'seed0_cache'}) == [0]
    assert measured_seeds(settings, rows['student'], finished) == []
