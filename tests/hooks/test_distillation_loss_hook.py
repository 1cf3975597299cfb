"""In a real MMEngine run: who moves, who does not, and what the checkpoint holds."""

from pathlib import Path

import pytest
import torch

from mmdistill.hooks import DistillationLossHook
from mmdistill.registry import MODELS


def hook_of(runner):
    return next(hook for hook in runner.hooks if isinstance(hook, DistillationLossHook))


def checkpoint_of(runner, epoch):
    return torch.load(f'{runner.work_dir}/epoch_{epoch}.pth', weights_only=True)


def test_the_student_moves_and_the_teacher_does_not(distillation, train, tmp_path):
    runner = train(distillation())
    teacher = hook_of(runner).teacher
    for name in ('rgb', 'flow'):
        before = torch.load(tmp_path / f'{name}.pth')['state_dict']
        after = teacher.experts[name].recognizer.state_dict()
        assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert not any(module.training for module in teacher.modules())
    taught = {id(p) for group in runner.optim_wrapper.param_groups for p in group['params']}
    assert taught == {id(p) for p in runner.model.parameters()}
    assert not taught & {id(p) for p in teacher.parameters()}
    scalars = runner.message_hub.log_scalars
    assert scalars['train/verb/loss_soft_target'].mean() > 0


def test_the_checkpoint_is_the_stock_recognizer(distillation, train, recognizer_config):
    runner = train(distillation())
    checkpoint = checkpoint_of(runner, 1)
    stock = MODELS.build(recognizer_config())
    stock.load_state_dict(checkpoint['state_dict'], strict=True)
    for key, value in runner.model.recognizer.state_dict().items():
        assert torch.equal(value, stock.state_dict()[key])
    assert checkpoint['distillation']['experts'] == ['rgb', 'flow']
    losses_M = checkpoint['distillation']['weighting']['verb']['losses_M']
    assert losses_M.shape == (2,)
    assert losses_M[0] != losses_M[1]


def test_a_resumed_run_has_the_same_teacher_without_the_holdout(distillation, train):
    first = train(distillation())
    resumed = distillation(resume=True, train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2))
    # Were it measured again, the empty holdout would be an error.
    resumed['holdout_dataloader']['dataset']['num_clips'] = 0
    second = train(resumed)
    assert second.epoch == 2
    before, after = (hook_of(r).teacher.weighting_state() for r in (first, second))
    assert torch.equal(before['verb']['losses_M'], after['verb']['losses_M'])


def test_another_teacher_cannot_continue_a_run(distillation, train):
    train(distillation())
    cfg = distillation(resume=True, train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2))
    cfg['teacher']['experts'].pop('flow')
    with pytest.raises(ValueError, match=r"\['rgb', 'flow'\].*\['rgb'\]"):
        train(cfg)


def test_experts_and_teacher_are_measured_before_training(distillation, train):
    runner = train(distillation())
    [path] = Path(runner.log_dir).glob('*.log')
    log = path.read_text()
    for name in ('rgb', 'flow', 'teacher'):
        assert f'Holdout {name}: acc/verb/top1' in log
    assert 'weight/noun' in log
    assert log.index('Holdout teacher') < log.index('Saving checkpoint')


def test_the_teacher_is_judged_by_the_labels_of_each_task(distillation, train):
    cfg = distillation()
    cfg['holdout_dataloader']['dataset']['num_clips'] = 20
    runner = train(cfg)
    hook = hook_of(runner)
    loader = runner.build_dataloader(runner.cfg.holdout_dataloader)
    samples = [sample for batch in loader for sample in hook.teacher.test_step(batch)]
    expected = {
        task: sum(int(s.pred_score[task].argmax()) == int(s.gt_labels.get(task)) for s in samples)
        for task in ('verb', 'noun')
    }
    assert expected['verb'] != expected['noun']  # or nothing would be shown
    assert hook.holdout_accuracy == {task: right / 20 for task, right in expected.items()}


MARS = dict(
    type='mmdistill.FeatureMSELoss',
    student_layer='backbone.layer4',
    expert='flow',
    expert_layer='backbone.layer3',
    student_channels=32,
    expert_channels=16,
)


def test_how_much_each_expert_counts_is_logged(distillation, train):
    cfg = distillation()
    cfg['teacher']['weighting'] = dict(
        verb=dict(type='mmdistill.EntropyWeighting'), noun=dict(type='mmdistill.UniformWeighting')
    )
    scalars = train(cfg).message_hub.log_scalars
    shares = [scalars[f'train/weights/verb/{name}'].data[0] for name in ('rgb', 'flow')]
    assert (shares[0] + shares[1]).tolist() == pytest.approx([1, 1, 1])
    assert shares[0].std() > 0
    assert scalars['train/weights/noun/rgb'].data[0].tolist() == [0.5, 0.5, 0.5]


def test_schedules_follow_the_iterations_and_continue_after_a_resume(distillation, train):
    ramp = dict(type='mmdistill.LinearWeight', start=0.0, end=6.0)

    def config(**changes):
        cfg = distillation(**changes)
        cfg['model']['losses']['soft_target']['loss_weight'] = ramp
        cfg['model']['label_weight'] = dict(
            type='mmdistill.StepWeight', weights=[1, 0.5], milestones=[0.5]
        )
        return cfg

    def logged(runner, name):
        return runner.message_hub.log_scalars[f'train/{name}'].data[0].tolist()

    two = dict(train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2))
    runner = train(config(**two))
    assert logged(runner, 'loss_weight/soft_target') == [0, 1, 2, 3, 4, 5]
    assert logged(runner, 'label_weight') == [1, 1, 1, 0.5, 0.5, 0.5]
    assert logged(runner, 'verb/loss_soft_target')[0] == 0
    first = f'{runner.work_dir}/epoch_1.pth'
    resumed = train(config(load_from=first, resume=True, **two))
    assert logged(resumed, 'loss_weight/soft_target') == [0, 1, 2, 3, 4, 5]


def test_projections_are_trained_published_nowhere_and_resumed_exactly(
    distillation, train, recognizer_config
):
    def config(**changes):
        cfg = distillation(
            train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
            **changes,
        )
        # Dropout would draw other masks after a resume.
        cfg['model']['recognizer'] = recognizer_config(dropout_ratio=0.0)
        cfg['model']['losses']['mars'] = MARS
        return cfg

    whole = train(config())
    checkpoint = checkpoint_of(whole, 1)
    stock = MODELS.build(recognizer_config())
    stock.load_state_dict(checkpoint['state_dict'], strict=True)
    learned = checkpoint['distillation']['losses']
    assert set(learned) == {'mars.projection.weight', 'mars.projection.bias'}
    assert whole.message_hub.log_scalars['train/features/loss_mars'].mean() > 0
    projection = whole.model.losses['mars'].projection.weight
    assert not torch.equal(projection, learned['mars.projection.weight'])

    torch.manual_seed(9)  # another initialisation, which must not matter
    resumed = train(config(load_from=f'{whole.work_dir}/epoch_1.pth', resume=True))
    start = hook_of(resumed)._restored['losses']['mars.projection.weight']
    assert torch.equal(start, learned['mars.projection.weight'])
    state = resumed.model.losses.state_dict()
    for name, value in whole.model.losses.state_dict().items():
        assert torch.allclose(state[name], value, atol=1e-6), name


def test_unlabelled_clips_train_with_the_others(distillation, train):
    cfg = distillation()
    # Batches with two labels, one and none.
    cfg['train_dataloader']['dataset']['labelled'] = 'some'
    cfg['train_dataloader']['sampler']['shuffle'] = False
    scalars = train(cfg).message_hub.log_scalars
    labels = scalars['train/verb/loss_cls'].data[0]
    assert (labels > 0).tolist() == [True, True, False]
    assert (scalars['train/verb/loss_soft_target'].data[0] > 0).all()
    assert scalars['train/verb/top1_acc'].data[0].size == 2


class TestBadInput:
    def test_other_losses_cannot_continue_a_run(self, distillation, train):
        train(distillation())
        cfg = distillation(resume=True, train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2))
        cfg['model']['losses']['mars'] = MARS
        with pytest.raises(
            ValueError, match=r"learned nothing, .*'mars.projection.bias'.*other lo"
        ):
            train(cfg)

    def test_other_classes_than_the_experts(self, distillation, train, recognizer_config):
        cfg = distillation()
        cfg['model']['recognizer'] = recognizer_config(classes=dict(verb=9, noun=5))
        with pytest.raises(ValueError, match=r"9 classes for 'verb', the experts have 4"):
            train(cfg)

    def test_other_class_order_than_an_expert(self, distillation, train, tmp_path):
        checkpoint = torch.load(tmp_path / 'flow.pth')
        classes = dict(verb=['put', 'take', 'open', 'close'])
        torch.save(
            {**checkpoint, 'meta': dict(dataset_meta=dict(classes=classes))}, tmp_path / 'flow.pth'
        )
        cfg = distillation()
        cfg['train_dataloader']['dataset']['verbs'] = ['take', 'put', 'open', 'close']
        with pytest.raises(ValueError, match="class 0 is 'put' for expert 'flow', 'take' for the"):
            train(cfg)

    def test_a_model_that_is_no_student(self, distillation, train, recognizer_config):
        with pytest.raises(TypeError, match='StudentRecognizer'):
            train(distillation(model=recognizer_config()))

    def test_no_teacher(self, distillation, train):
        with pytest.raises(ValueError, match='top-level `teacher`'):
            train(distillation(teacher=None))

    def test_no_holdout(self, distillation, train):
        with pytest.raises(ValueError, match='UniformWeighting'):
            train(distillation(holdout_dataloader=None))

    def test_an_empty_holdout(self, distillation, train):
        cfg = distillation()
        cfg['holdout_dataloader']['dataset']['num_clips'] = 0
        with pytest.raises(ValueError, match='holdout_dataloader has no clip'):
            train(cfg)
