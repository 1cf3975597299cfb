"""What the diagnostics say in a real run, and that the run does not notice them."""

import json
from types import SimpleNamespace

import pytest
import torch

from mmdistill.hooks import distillation_diagnostics_hook as module

DIAGNOSTICS = dict(type='mmdistill.DistillationDiagnosticsHook', holdout_interval=1)
TEACHING = dict(type='mmdistill.DistillationLossHook')


def test_the_log_tells_how_they_get_on_and_training_is_the_same(distillation, train, tmp_path):
    two = dict(train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2))
    plain = train(distillation(**two))
    watched = train(
        distillation(
            **two, custom_hooks=[TEACHING, DIAGNOSTICS], work_dir=str(tmp_path / 'watched')
        )
    )
    for key, value in plain.model.state_dict().items():
        assert torch.equal(value, watched.model.state_dict()[key]), key
    (log,) = (tmp_path / 'watched').rglob('*.log')
    text = log.read_text()
    for epoch in (1, 2):
        assert f'Student and teacher in epoch {epoch}: gradient_ratio' in text
    assert text.count('Holdout student: acc/verb/top1') == 2
    assert watched.model.training


def test_every_task_of_the_student_is_judged_by_its_labels(distillation, train, tmp_path):
    runner = train(distillation(custom_hooks=[TEACHING, DIAGNOSTICS]))
    student, loader = runner.model.eval(), runner.build_dataloader(runner.cfg.holdout_dataloader)
    samples = [sample for batch in loader for sample in student.test_step(batch)]
    expected = {
        task: sum(int(s.pred_label[task]) == int(s.gt_labels.get(task)) for s in samples) / 5
        for task in ('verb', 'noun')
    }
    assert expected['verb'] != expected['noun']  # or nothing would be shown
    (path,) = (tmp_path / 'run').rglob('scalars.json')
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    (logged,) = [line for line in lines if 'holdout/student/acc/verb/top1' in line]
    for task, accuracy in expected.items():
        assert logged[f'holdout/student/acc/{task}/top1'] == pytest.approx(accuracy)


def test_a_holdout_without_the_students_modality_is_named_once(distillation, train, tmp_path):
    cfg = distillation(custom_hooks=[TEACHING, DIAGNOSTICS])
    cfg['model']['modality'] = 'frames'
    cfg['train_dataloader']['dataset']['also'] = 'frames'
    train(cfg)
    (log,) = (tmp_path / 'run').rglob('*.log')
    assert "The holdout does not have ['frames']" in log.read_text()


def test_ranks_are_averaged_even_where_one_has_no_ratio(monkeypatch):
    other = {'verb/agreement': [0.0, 0.5]}
    monkeypatch.setattr(module, 'all_gather_object', lambda mine: [mine, other])
    hook, scalars = module.DistillationDiagnosticsHook(), {}
    hook._sums.update({'verb/agreement': [1.0, 1.0], 'gradient_ratio': [3.0]})
    visualizer = SimpleNamespace(add_scalars=lambda found, step: scalars.update(found))
    logger = SimpleNamespace(info=lambda line: None)
    hook._log_epoch(SimpleNamespace(logger=logger, visualizer=visualizer), 1)
    assert scalars == {'epoch/verb/agreement': 0.625, 'epoch/gradient_ratio': 3.0}
