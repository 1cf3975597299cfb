"""TensorBoard has what the local log has, and figures that can be looked at."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mmdistill.config_tools import load_config

ROOT = Path(__file__).parents[2]
BACKENDS = load_config(ROOT / 'configs/_base_/visualizers/tensorboard.py').tensorboard
METRICS = [
    dict(type='mmdistill.TaskAccuracy', scores='logits'),
    dict(type='mmdistill.Calibration', scores='logits'),
]
HOOKS = dict(
    logger=dict(type='LoggerHook', interval=1),
    visual_report=dict(type='mmdistill.VisualReportHook'),
    checkpoint=None,
)
DIAGRAMS = {'calibration_verb', 'calibration_noun', 'calibration_action'}


@pytest.mark.parametrize(
    'name', load_config(ROOT / 'configs/_base_/default_runtime.py').default_hooks
)
def test_every_default_hook_can_be_left_out(name, distillation, train, tmp_path):
    """By `--cfg-options default_hooks.NAME=None`, though MMEngine allows that of its own alone."""
    hooks = load_config(ROOT / 'configs/_base_/default_runtime.py').default_hooks
    hooks.checkpoint.save_best = None  # nothing is validated
    Config(distillation(default_hooks=hooks)).dump(tmp_path / 'run.py')
    cfg = load_config(tmp_path / 'run.py', {f'default_hooks.{name}': None})
    runner = train(cfg.to_dict())
    assert hooks[name].type.rpartition('.')[2] not in [type(h).__name__ for h in runner.hooks]
    assert runner.iter == 3


@pytest.fixture
def logged(distillation, monkeypatch):
    """The config of a run with a validation, a test and TensorBoard."""
    # A runner describes the machine and makes the config pretty, which takes longer than the test.
    monkeypatch.setattr('mmengine.config.config.FormatCode', lambda text, **_: (text, True))
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)

    def config(**changes):
        cfg = distillation(
            default_hooks=HOOKS,
            visualizer=dict(type='ActionVisualizer', vis_backends=BACKENDS.copy()),
            val_cfg=dict(),
            val_evaluator=METRICS,
            test_cfg=dict(),
            test_evaluator=METRICS,
            **changes,
        )
        cfg['val_dataloader'] = cfg['test_dataloader'] = cfg['holdout_dataloader']
        return cfg

    return config


def events_of(runner) -> EventAccumulator:
    events = EventAccumulator(f'{runner.log_dir}/vis_data', dict(scalars=0, images=0))
    return events.Reload()


def local_scalars(runner) -> dict[str, list[tuple[int, float]]]:
    """Name to (step, value), from what MMEngine's own backend wrote."""
    found = {}
    for line in Path(runner.log_dir, 'vis_data/scalars.json').read_text().splitlines():
        row = json.loads(line)
        step = row.pop('step')
        for name, value in row.items():
            found.setdefault(name, []).append((step, value))
    return found


def assert_same_scalars(runner):
    events, local = events_of(runner), local_scalars(runner)
    assert set(events.Tags()['scalars']) == set(local)
    for name, points in local.items():
        steps, values = zip(*[(e.step, e.value) for e in events.Scalars(name)], strict=True)
        assert list(steps) == [step for step, _ in points], name
        assert list(values) == pytest.approx([value for _, value in points], rel=1e-6), name
    return local


def pixels(events, name):
    """The images of a name, decoded: step to (H, W, 3)."""
    found = {}
    for event in events.Images(name):
        data = np.frombuffer(event.encoded_image_string, np.uint8)
        found[event.step] = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return found


def test_a_training_reaches_tensorboard(logged, train):
    two = dict(type='EpochBasedTrainLoop', max_epochs=2)
    hooks = [
        dict(type='mmdistill.DistillationLossHook'),
        dict(type='mmdistill.DistillationDiagnosticsHook', holdout_interval=1),
    ]
    runner = train(logged(train_cfg=two, custom_hooks=hooks))
    local = assert_same_scalars(runner)
    for name in (
        *('loss', 'verb/loss_cls', 'verb/loss_soft_target', 'verb/top1_acc', 'weights/verb/rgb'),
        *('holdout/teacher/calibration/verb/ece', 'holdout/rgb/weight/noun'),
        *('holdout/student/acc/verb/top1', 'epoch/verb/agreement', 'gradient_ratio'),
        *('acc/action/top1', 'calibration/action/ece', 'calibration/verb/aurc'),
    ):
        assert name in local, name
    assert [step for step, _ in local['acc/verb/top1']] == [1, 2]
    events = events_of(runner)
    assert set(events.Tags()['images']) == {*DIAGRAMS, 'teacher_weights'}
    for name in events.Tags()['images']:
        images = pixels(events, name)
        assert set(images) == {1, 2}
        for step, image in images.items():
            assert image.std() > 10, name
            file = Path(runner.log_dir, f'vis_data/vis_image/{name}_{step}.png')
            assert np.array_equal(cv2.imread(str(file))[..., ::-1], image)


def test_a_tested_teacher_reaches_tensorboard(logged):
    cfg = logged(
        train_dataloader=None,
        train_cfg=None,
        optim_wrapper=None,
        custom_hooks=[dict(type='mmdistill.TeacherWeightingHook')],
    )
    cfg['model'] = cfg['teacher']
    cfg['val_cfg'] = cfg['val_dataloader'] = cfg['val_evaluator'] = None
    cfg['experiment_name'] = 'test_of_a_teacher'
    runner = Runner.from_cfg(Config(cfg))
    metrics = runner.test()
    local = assert_same_scalars(runner)
    assert {name: local[name] for name in metrics} == {
        name: [(0, pytest.approx(value))] for name, value in metrics.items()
    }
    for task in ('verb', 'noun'):
        assert local[f'weights/{task}/rgb'][0][1] == local[f'holdout/rgb/weight/{task}'][0][1]
        assert sum(local[f'weights/{task}/{m}'][0][1] for m in ('rgb', 'flow')) == pytest.approx(1)
    assert set(events_of(runner).Tags()['images']) == {*DIAGRAMS, 'teacher_weights'}


def test_without_calibration_or_teacher_nothing_is_drawn(logged):
    cfg = logged(train_dataloader=None, train_cfg=None, optim_wrapper=None, custom_hooks=None)
    cfg['test_evaluator'] = METRICS[:1]
    cfg['val_cfg'] = cfg['val_dataloader'] = cfg['val_evaluator'] = None
    cfg['experiment_name'] = 'test_without_calibration'
    runner = Runner.from_cfg(Config(cfg))
    runner.test()
    assert 'acc/verb/top1' in assert_same_scalars(runner)
    assert events_of(runner).Tags()['images'] == []
