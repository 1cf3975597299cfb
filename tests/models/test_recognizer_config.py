"""The student's recognizer: read from upstream, changed by keys, fitted to the tasks."""

import pytest
from mmengine.config import Config

from mmdistill.models import MultitaskHead, StudentRecognizer
from mmdistill.models.recognizer_config import fit_to_tasks, resolve_recognizer
from mmdistill.registry import MODELS

UPSTREAM = (
    'mmaction::recognition/tsm/tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb.py'
)
TASKS = dict(verb=4, noun=5)
LOSSES = dict(soft_target=dict(type='mmdistill.SoftTargetLoss'))


@pytest.fixture
def stock(recognizer_config):
    return recognizer_config(classes=7)


def test_a_config_of_upstream_with_changes():
    found = resolve_recognizer(dict(config=UPSTREAM, backbone=dict(depth=18, pretrained=None)))
    assert found['type'] == 'Recognizer2D'
    assert (found['backbone']['type'], found['backbone']['depth']) == ('ResNetTSM', 18)
    assert found['backbone']['pretrained'] is None
    assert found['cls_head']['type'] == 'TSMHead'


def test_a_part_may_be_replaced_as_in_mmengine():
    part = dict(_delete_=True, type='MobileNetV2TSM')
    found = resolve_recognizer(dict(config=UPSTREAM, backbone=part))
    assert found['backbone'] == dict(type='MobileNetV2TSM')


def test_a_config_of_ones_own(tmp_path, stock):
    Config(dict(model=stock)).dump(tmp_path / 'mine.py')
    found = resolve_recognizer(dict(config=str(tmp_path / 'mine.py'), type='Recognizer2D'))
    assert found == {**stock, 'type': 'Recognizer2D'}


def test_a_model_is_left_as_it_is(stock):
    assert resolve_recognizer(stock) == stock


def test_each_task_gets_a_head_of_the_same_kind(stock):
    fitted = fit_to_tasks(stock, TASKS)
    heads = fitted['cls_head']['heads']
    assert fitted['cls_head']['type'] == 'mmdistill.MultitaskHead'
    for task, number in TASKS.items():
        expected = {**stock['cls_head'], 'num_classes': number}
        expected.pop('average_clips')
        assert heads[task] == expected
    assert stock['cls_head']['num_classes'] == 7


def test_a_single_label_keeps_the_stock_head(stock):
    stock['cls_head']['average_clips'] = 'prob'
    fitted = fit_to_tasks(stock, dict(action=9))
    assert fitted['cls_head'] == {
        **stock['cls_head'],
        'num_classes': 9,
        'average_clips': 'score',
    }


def test_an_auxiliary_classifier_learns_the_same_classes(stock):
    stock['neck'] = dict(type='TPN', aux_head_cfg=dict(out_channels=7, loss_weight=0.5))
    fitted = fit_to_tasks(stock, dict(action=9))
    assert fitted['neck']['aux_head_cfg'] == dict(out_channels=9, loss_weight=0.5)


def test_the_student_does_both(recognizer_config, make_batch, tmp_path):
    Config(dict(model=recognizer_config(classes=7))).dump(tmp_path / 'mine.py')
    student = MODELS.build(
        dict(
            type='mmdistill.StudentRecognizer',
            recognizer=dict(config=str(tmp_path / 'mine.py')),
            tasks=TASKS,
            losses=LOSSES,
        )
    )
    assert isinstance(student.recognizer.cls_head, MultitaskHead)
    scores = student.eval().test_step(make_batch())[0].pred_score
    assert {task: len(x) for task, x in scores.items()} == TASKS


LAZY_BASE = """
from mmaction.models import ActionDataPreprocessor, I3DHead, Recognizer3D, ResNet3d

recognizer = dict(
    type=Recognizer3D,
    backbone=dict(
        type=ResNet3d, depth=18, base_channels=4, pretrained=None, pretrained2d=False,
        conv1_kernel=(3, 3, 3),
    ),
    data_preprocessor=dict(type=ActionDataPreprocessor, format_shape='NCTHW'),
    cls_head=dict(type=I3DHead, in_channels=32, num_classes=400),
)
"""
LAZY_STUDENT = """
from mmengine.config import read_base

from mmdistill.losses import SoftTargetLoss
from mmdistill.models import StudentRecognizer

with read_base():
    from .lazy_base import *

recognizer.update(backbone=dict(base_channels=8), cls_head=dict(in_channels=64))
model = dict(
    type=StudentRecognizer,
    recognizer=recognizer,
    tasks=dict(verb=4, noun=5),
    losses=dict(soft_target=dict(type=SoftTargetLoss)),
)
"""


def test_a_new_style_config(tmp_path):
    (tmp_path / 'lazy_base.py').write_text(LAZY_BASE)
    (tmp_path / 'lazy_student.py').write_text(LAZY_STUDENT)
    student = MODELS.build(Config.fromfile(tmp_path / 'lazy_student.py').model)
    assert isinstance(student, StudentRecognizer)
    assert student.recognizer.backbone.conv1.conv.out_channels == 8
    assert student.recognizer.cls_head.num_classes == TASKS
    # Upstream's new-style configs serve by their file, too.
    inherited = dict(config=str(tmp_path / 'lazy_student.py'))
    again = MODELS.build(resolve_recognizer(inherited))
    assert again.state_dict().keys() == student.state_dict().keys()


class TestBadInput:
    def test_a_head_that_is_fitted_already(self, recognizer_config):
        with pytest.raises(ValueError, match=r'mmdistill\.MultitaskHead: leave tasks out'):
            fit_to_tasks(recognizer_config(), TASKS)

    def test_an_auxiliary_classifier_of_one_task(self, stock):
        stock['neck'] = dict(type='TPN', aux_head_cfg=dict(out_channels=7))
        with pytest.raises(ValueError, match='TPN neck knows one task.*aux_head_cfg=None'):
            fit_to_tasks(stock, TASKS)

    def test_a_config_without_a_model(self, tmp_path):
        (tmp_path / 'none.py').write_text('epochs = 3\n')
        with pytest.raises(KeyError, match=r'none\.py has no `model`'):
            resolve_recognizer(dict(config=str(tmp_path / 'none.py')))

    def test_a_config_that_is_not_there(self):
        with pytest.raises(FileNotFoundError, match='There is no config'):
            resolve_recognizer(dict(config='configs/gone.py'))
