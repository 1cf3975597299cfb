"""The demo's graph: complete, in order, and with nothing to do twice."""

import json
from dataclasses import replace
from pathlib import Path

from mmdistill.cli import commands
from mmdistill.evaluation import read_report_config
from projects.demo.chain.demo_chain import (
    DEMO_MODELS,
    DemoSettings,
    data_stages,
    evidence_stages,
    report_stage,
    training_stages,
)

ROOT = Path(__file__).parents[3]
RENDER = ('-m', 'projects.demo.render')


def chain(settings):
    tests = [*training_stages(settings), *evidence_stages(settings)]
    return [*data_stages(settings), *tests, report_stage(settings)]


def test_every_stage_comes_after_what_it_needs_and_runs_a_committed_tool():
    seen = set()
    for stage in chain(DemoSettings()):
        assert set(stage.needs) <= seen
        seen.add(stage.name)
        assert stage.command[0] in commands() or stage.command[:2] == RENDER
        assert all((ROOT / path).is_file() for path in stage.inputs)
    assert {f'{kind}_{name}' for kind in ('test', 'holdout') for name in DEMO_MODELS} <= seen


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
        if stage.command[0] in ('train', 'test'):
            assert stage.command[-1] == 'train_cfg.max_epochs=1'


def test_the_report_reads_what_the_chain_writes(tmp_path, monkeypatch):
    settings = DemoSettings(work_dir=tmp_path / 'work', data_root=tmp_path / 'data')
    for stage in chain(settings)[:-1]:
        for output in stage.outputs:
            path = Path(output.replace('best*', 'best'))
            path.parent.mkdir(parents=True, exist_ok=True)
            config = next((x for x in stage.inputs if x.endswith('.py')), None)
            path.write_text(json.dumps(dict(metrics={}, num_samples=1, config=config)))
        if '--work-dir' in stage.command:
            work_dir = stage.command[stage.command.index('--work-dir') + 1]
            Path(work_dir).mkdir(parents=True, exist_ok=True)
    (settings.work_dir / 'stamps').mkdir()
    monkeypatch.chdir(ROOT)
    command = report_stage(settings).command
    options = dict(text.split('=', 1) for text in command[command.index('--cfg-options') + 1 :])
    report = read_report_config(command[1], options)
    shown = {Path(model.config).stem for model in report.models}
    assert shown == set(DEMO_MODELS)
    assert all(model.files.holdout for model in report.models)
    assert report.detector.checkpoint == str(settings.work_dir / 'detector/best.pth')
    assert report.out == settings.work_dir
