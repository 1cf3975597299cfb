"""Self-distillation as a run: it teaches, is saved beside the student, and resumes exactly."""

import torch

EMA = dict(type='mmdistill.EMATeacher', momentum=0.9)


def test_a_run_goes_on_as_if_it_had_not_stopped(distillation, train, tmp_path):
    hooks = [dict(type=f'mmdistill.{name}') for name in ('DistillationLossHook', 'RngStateHook')]

    def config(folder, **changes):
        return distillation(
            work_dir=str(tmp_path / folder),
            teacher=EMA,
            holdout_dataloader=None,
            custom_hooks=hooks,
            **changes,
        )

    loop = dict(type='EpochBasedTrainLoop', max_epochs=2)
    whole = train(config('whole', train_cfg=loop))
    scalars = whole.message_hub.log_scalars
    assert 'train/weights/verb/ema' in scalars and 'train/verb/loss_soft_target' in scalars
    first = str(tmp_path / 'whole/epoch_1.pth')
    train(config('resumed', train_cfg=loop, load_from=first, resume=True))
    ends = [
        torch.load(tmp_path / folder / 'epoch_2.pth', weights_only=False)
        for folder in ('whole', 'resumed')
    ]
    ours, theirs = (end['distillation']['teacher'] for end in ends)
    assert int(ours['steps']) == 6
    for name, value in ours.items():
        assert torch.equal(value, theirs[name]), name
    # The student's own state dict has nothing of it, and is not what the average is.
    student = ends[0]['state_dict']
    assert not any('ema' in name for name in student)
    changed = [name for name in student if name.endswith('conv.weight')]
    assert any(not torch.equal(student[name], ours[name]) for name in changed)
