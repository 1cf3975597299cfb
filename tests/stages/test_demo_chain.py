"""The demo's graph: complete, in order, and with nothing to do twice."""

from dataclasses import replace
from pathlib import Path

from mmdistill.stages import DEMO_MODELS, DemoSettings, data_stages, report_stage, training_stages

ROOT = Path(__file__).parents[2]


def chain(settings):
    return [*data_stages(settings), *training_stages(settings), report_stage(settings)]


def test_every_stage_comes_after_what_it_needs_and_runs_a_committed_tool():
    seen = set()
    for stage in chain(DemoSettings()):
        assert set(stage.needs) <= seen
        seen.add(stage.name)
        assert (ROOT / stage.command[0]).is_file()
        assert all((ROOT / path).is_file() for path in stage.inputs)
    assert {f'test_{name}' for name in DEMO_MODELS} <= seen


def test_a_training_seed_touches_no_data_stage():
    first, second = DemoSettings(), DemoSettings(seed=1)
    assert data_stages(first) == data_stages(second)
    for stage in training_stages(second)[:4]:
        at = stage.command.index('--seed')
        assert stage.command[at + 1] == '1'


def test_another_work_dir_moves_every_output():
    moved = replace(DemoSettings(), work_dir=Path('elsewhere'), data_root=Path('there'))
    for stage in chain(moved):
        text = ' '.join(map(str, stage.command)) + ' '.join((*stage.outputs, *stage.owned))
        assert 'work_dirs/demo' not in text and 'data/demo' not in text


def test_no_two_stages_own_the_same_files():
    owned = [path for stage in chain(DemoSettings()) for path in stage.owned]
    assert len(owned) == len(set(owned))


def test_options_reach_trainings_and_tests():
    settings = DemoSettings(cfg_options=('train_cfg.max_epochs=1',))
    for stage in chain(settings):
        if stage.command[0] in ('tools/train.py', 'tools/test.py'):
            assert stage.command[-1] == 'train_cfg.max_epochs=1'
