"""What is measured on the clips that are taught, worked by hand, and in a real run."""

import pytest
import torch
from mmaction.structures import ActionDataSample

from mmdistill.hooks import DistillationLossHook
from mmdistill.hooks import taught_clips as module
from mmdistill.hooks.taught_clips import (
    TaughtClips,
    TaughtFigures,
    by_heart_warnings,
    taught_lines,
)
from mmdistill.labels import set_task_labels
from mmdistill.models.teacher_output import TeacherOutput, set_teacher_output


def batch(expert_logits, fused, labels):
    """Samples with a teacher's output; (B, M, K) and (B, K) per task, a dict of labels per clip."""
    samples = [ActionDataSample() for _ in labels]
    for sample, label in zip(samples, labels, strict=True):
        set_task_labels(sample, label)
    weights = {task: torch.ones(x.shape[:2]) for task, x in expert_logits.items()}
    set_teacher_output(samples, TeacherOutput(fused, expert_logits, weights))
    return samples


def of_probs(*rows):
    return torch.tensor(rows, dtype=torch.float32).log()


def test_means_are_over_all_batches_and_by_task():
    # Two classes of verbs, three of nouns; two experts.
    verbs = torch.stack([of_probs([0.9, 0.1], [0.4, 0.6]), of_probs([0.2, 0.8], [0.3, 0.7])])
    nouns = torch.stack([of_probs([0.5, 0.3, 0.2], [0.1, 0.1, 0.8])] * 2)
    fused = dict(verb=verbs.mean(1), noun=nouns.mean(1))
    taught = TaughtClips(['rgb', 'flow'])
    for i, label in enumerate((dict(verb=0, noun=2), dict(verb=1, noun=None))):
        one = {t: x[i : i + 1] for t, x in dict(verb=verbs, noun=nouns).items()}
        taught.add(batch(one, {t: x[i : i + 1] for t, x in fused.items()}, [label]))
    found = taught.figures()
    assert found['rgb']['verb'] == pytest.approx(TaughtFigures(1.0, 0.85, 0.85))
    assert found['flow']['verb'] == pytest.approx(TaughtFigures(0.5, 0.65, 0.55))
    # The second clip has no noun.
    assert found['rgb']['noun'] == pytest.approx(TaughtFigures(0.0, 0.5, 0.2))
    assert found['flow']['noun'] == pytest.approx(TaughtFigures(1.0, 0.8, 0.8))
    assert list(found) == ['rgb', 'flow', 'teacher']
    assert (
        'Taught clips flow: acc/noun/top1 1.0000  confidence/noun 0.8000' in taught_lines(found)[1]
    )


def test_ranks_are_added(monkeypatch):
    taught = TaughtClips(['rgb'])
    logits = of_probs([0.9, 0.1])[None]
    taught.add(batch(dict(verb=logits), dict(verb=logits[:, 0]), [dict(verb=0)]))
    other = {'verb': [[0.0, 0.6, 0.4, 1.0]] * 2}
    monkeypatch.setattr(module, 'all_gather_object', lambda mine: [mine, other, {}])
    assert taught.figures()['rgb']['verb'] == pytest.approx(TaughtFigures(0.5, 0.75, 0.65))


def test_mixtures_of_two_labels_do_not_count():
    logits = of_probs([0.9, 0.1])[None]
    samples = batch(dict(action=logits), dict(action=logits[:, 0]), [0])
    samples[0].set_gt_label(torch.tensor([0.5, 0.5]))
    taught = TaughtClips(['rgb'])
    taught.add(samples)
    assert taught.figures() == dict(rgb={}, teacher={}) and taught_lines(taught.figures()) == []


def test_who_knows_the_clips_by_heart_is_told():
    sure, fair = TaughtFigures(0.99, 0.92, 0.91), TaughtFigures(0.7, 0.5, 0.45)
    figures = dict(rgb=dict(verb=sure, noun=fair), flow=dict(verb=sure), teacher=dict(verb=sure))
    holdout = dict(
        rgb={'acc/verb/top1': 0.69, 'acc/noun/top1': 0.3},
        flow={'acc/verb/top1': 0.95},
        teacher={'acc/verb/top1': 0.8},
    )
    first, second = by_heart_warnings(figures, holdout)
    assert first.startswith("Expert 'rgb' predicts the verb of 99.0% of the clips that it teaches")
    assert '69.0% of the holdout' in first and '0.91 on the label' in first
    assert second.startswith('The teacher predicts')
    assert by_heart_warnings(figures, {}) == []


def test_a_training_tells_once(distillation, train, tmp_path):
    hooks = [
        dict(type='mmdistill.DistillationLossHook'),
        dict(type='mmdistill.DistillationDiagnosticsHook', holdout_interval=0),
    ]
    two = dict(type='EpochBasedTrainLoop', max_epochs=2)
    runner = train(distillation(train_cfg=two, custom_hooks=hooks))
    (log,) = (tmp_path / 'run').rglob('*.log')
    text = log.read_text()
    hook = next(h for h in runner.hooks if isinstance(h, DistillationLossHook))
    for name in (*hook.teacher.experts, 'teacher'):
        assert text.count(f'Taught clips {name}: acc/') == 1
    assert set(hook.holdout_figures) == {*hook.teacher.experts, 'teacher'}
