"""The points of a grid, and what each of them changes in a config."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmdistill.models.fusion import build_weightings
from mmdistill.stages.sweep_grid import (
    expand_grid,
    measure_on_holdout,
    point_config,
    point_name,
)

ROOT = Path(__file__).parents[2]
STUDENT = 'projects/demo/configs/student.py'


@pytest.fixture(autouse=True)
def _repository_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def config_at(point, config=STUDENT, options=None):
    return point_config(config, options or {}, point, 'the/cache', 5)


def test_every_combination_is_a_point_with_a_name_of_its_own():
    points = expand_grid(dict(temperature=[1, 2.0], gamma=0.3))
    assert points == {
        'gamma=0.3_temperature=1': dict(temperature=1, gamma=0.3),
        'gamma=0.3_temperature=2': dict(temperature=2.0, gamma=0.3),
    }
    # Axes in another order are the same points.
    assert expand_grid(dict(gamma=0.3, temperature=[1, 2.0])).keys() == points.keys()


def test_a_weighting_without_a_temperature_has_one_point_for_all_gammas():
    points = expand_grid(dict(gamma=[0.3, 1], weighting=['softmin', 'uniform', 'learned']))
    assert list(points) == [
        'gamma=0.3_weighting=softmin',
        'weighting=uniform',
        'weighting=learned',
        'gamma=1_weighting=softmin',
    ]


def test_names_are_fit_for_files():
    value = dict(student='configs/a b/x.py', model_size=(1, 2), lr=1e-05)
    assert point_name(value) == 'lr=1e-05_model_size=1-2_student=x'


def test_the_axes_of_the_method_reach_their_settings():
    cfg = config_at({'lambda': 0.9, 'temperature': 4, 'gamma': 0.3})
    loss = cfg.model.losses.soft_target
    assert (loss.loss_weight, cfg.model.label_weight, loss.temperature) == (0.9, 0.1, 4)
    assert cfg.teacher.weighting == dict(type='mmdistill.SoftminWeighting', temperature=0.3)
    assert cfg.teacher_cache == 'the/cache'
    assert cfg.train_dataloader.sampler.augmentation_seed == 5


def test_some_of_the_experts_teach():
    cfg = config_at({'experts': 'obj+rgb', 'gamma': 2})
    assert list(cfg.teacher.experts) == ['rgb', 'obj']
    assert cfg.teacher.weighting.temperature == 2
    assert list(config_at({'experts': 'flow'}).teacher.experts) == ['flow']


def test_weightings_by_name_and_by_type_can_be_built():
    names = dict(uniform='UniformWeighting', learned='LearnedWeighting')
    names |= {'mmdistill.EntropyWeighting': 'EntropyWeighting'}
    for name, kind in names.items():
        weighting = config_at(dict(weighting=name)).teacher.weighting
        assert type(build_weightings(weighting, ['verb'])['verb']).__name__ == kind
    # The config's own gamma is kept where its type is.
    options = {'teacher.weighting.temperature': 0.7}
    assert config_at(dict(weighting='softmin'), options=options).teacher.weighting == dict(
        type='mmdistill.SoftminWeighting', temperature=0.7
    )


def test_gamma_reaches_the_weighting_of_every_task_that_has_one():
    cfg = config_at(dict(gamma=0.3))
    cfg.teacher.weighting = dict(
        verb=dict(type='mmdistill.SoftminWeighting'), noun=dict(type='mmdistill.UniformWeighting')
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('mmdistill.stages.sweep_grid.load_config', lambda *_: cfg.copy())
        found = config_at(dict(gamma=3)).teacher.weighting
    assert found.verb.temperature == 3 and 'temperature' not in found.noun


def test_keys_of_the_config_and_other_students_are_axes_too():
    key = 'optim_wrapper.optimizer.lr'
    assert config_at({key: 0.5}).optim_wrapper.optimizer.lr == 0.5
    student = 'configs/distill/x3d-m_ek100_rgbflowobj.py'
    cfg = config_at({'student': student, 'temperature': 2})
    assert 'x3d' in cfg.model.recognizer.config and cfg.model.losses.soft_target.temperature == 2


def test_the_holdout_is_measured_with_what_the_student_reads():
    cfg = measure_on_holdout(config_at({}))
    assert cfg.test_dataloader.dataset.split == 'holdout'
    assert cfg.test_dataloader.dataset.pipeline.load.inputs == ('rgb',)
    assert cfg.val_dataloader == cfg.test_dataloader
    # The teacher's own loader stays as it is.
    assert cfg.holdout_dataloader.dataset.pipeline.load.inputs == ('rgb', 'flow', 'obj')


class TestBadInput:
    def test_a_key_that_is_not_there(self):
        with pytest.raises(KeyError, match=r"student.py has no 'model.loss', so the grid cannot"):
            config_at({'model.loss.temperature': 2})

    def test_lambda_beyond_one(self):
        with pytest.raises(ValueError, match='lambda must be a number from 0 to 1, got 1.5'):
            config_at({'lambda': 1.5})

    def test_an_unknown_weighting(self):
        with pytest.raises(ValueError, match="no weighting 'softmax': expected one of"):
            config_at(dict(weighting='softmax'))

    def test_an_expert_that_the_teacher_does_not_have(self):
        with pytest.raises(ValueError, match="has no expert 'sound': expected some of .'rgb'"):
            config_at({'experts': 'rgb+sound'})

    def test_gamma_of_a_weighting_without_one(self):
        options = {'teacher.weighting': dict(_delete_=True, type='mmdistill.UniformWeighting')}
        with pytest.raises(ValueError, match='no temperature gamma to vary'):
            config_at(dict(gamma=1), options=options)

    def test_two_values_of_one_name(self):
        with pytest.raises(ValueError, match="would both be called 'student=x'"):
            expand_grid(dict(student=['a/x.py', 'b/x.py']))

    def test_no_holdout(self, tmp_path):
        (tmp_path / 'mine.py').write_text('model = dict()\n')
        cfg = Config.fromfile(tmp_path / 'mine.py')
        with pytest.raises(ValueError, match='no holdout_dataloader.*--split test'):
            measure_on_holdout(cfg)
