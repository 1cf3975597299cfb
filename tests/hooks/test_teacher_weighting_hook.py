"""A teacher that is tested on its own gets its weights from the holdout first."""

import pytest
from mmengine.config import Config
from mmengine.runner import Runner


@pytest.fixture
def test_teacher(distillation):
    """Test the teacher of the distillation run; returns the runner and the metrics."""

    def run(weighting):
        cfg = distillation(
            train_dataloader=None,
            train_cfg=None,
            optim_wrapper=None,
            custom_hooks=[dict(type='mmdistill.TeacherWeightingHook')],
            test_cfg=dict(),
            test_evaluator=dict(type='mmdistill.TaskAccuracy', scores='logits'),
        )
        cfg['model'] = dict(cfg['teacher'], weighting=weighting)
        cfg['test_dataloader'] = cfg['holdout_dataloader']
        cfg['experiment_name'] = f'test_{weighting["type"]}'
        runner = Runner.from_cfg(Config(cfg))
        return runner, runner.test()

    return run


def test_weights_are_fitted_before_the_test(test_teacher):
    runner, metrics = test_teacher(dict(type='mmdistill.SoftminWeighting', temperature=0.5))
    losses_M = runner.model.weightings['verb'].losses_M
    assert losses_M.shape == (2,)
    assert losses_M[0] != losses_M[1]
    assert 0 <= metrics['acc/verb/top1'] <= 1


def test_a_weighting_that_looks_at_the_answers_is_refused(test_teacher):
    with pytest.raises(ValueError, match='answers'):
        test_teacher(dict(type='mmdistill.SampleSoftminWeighting'))
