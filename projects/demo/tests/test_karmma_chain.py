"""The stages behind the page of models that lose modalities."""

from pathlib import Path

import pytest

from mmdistill.cli import commands
from projects.demo.chain.demo_chain import DemoSettings
from projects.demo.chain.karmma_chain import MODELS, karmma_stages, subset_folder
from projects.demo.chain.results_chain import ResultsSettings

ROOT = Path(__file__).parents[3]
RENDER = ('-m', 'projects.demo.render')


@pytest.fixture
def stages(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    settings = ResultsSettings(DemoSettings(), work_dir=tmp_path, num_seeds=2)
    return settings, {stage.name: stage for stage in karmma_stages(settings)}


def test_every_stage_comes_after_what_it_needs_and_owns_its_files(stages):
    seen, owned = set(), []
    for stage in stages[1].values():
        assert set(stage.needs) <= seen
        assert stage.command[0] in commands() or stage.command[:2] == RENDER
        assert all(Path(path).is_file() for path in stage.inputs)
        seen.add(stage.name)
        owned += stage.owned
    assert len(owned) == len(set(owned))


def test_the_student_has_the_teacher_of_its_seed_and_that_the_experts_of_its_seed(stages):
    settings, found = stages
    assert found['seed1_karmma'].needs == ('seed1_karmma_teacher',)
    assert found['seed1_karmma_teacher'].needs == ('seed1_rgb', 'seed1_flow', 'seed1_obj')
    for name in ('seed1_karmma', 'seed1_karmma_teacher', 'seed1_missing_karmma'):
        assert f'expert_dir={settings.run(1).work_dir}' in found[name].command
    assert found['seed1_karmma_plain'].needs == ('extract_flow', 'extract_boxes')


def test_the_tables_are_of_all_seeds(stages):
    settings, found = stages
    command = found['missing_tables'].command
    first, *others = MODELS.values()
    folders = ','.join(str(subset_folder(settings, first, seed)) for seed in (0, 1))
    assert command[2] == f'plain={folders}'
    student = ','.join(f'{settings.folder("student", seed)}/scores.npz' for seed in (0, 1))
    assert f'RGB_student={student}' in command
    assert {f'seed{s}_missing_{name}' for s in (0, 1) for name in others} <= set(
        found['missing_tables'].needs
    )
