"""Experts that want the same of a batch get one tensor, others their own."""

import copy

import pytest
import torch

from mmdistill.models.teacher_inputs import preprocess_alike
from mmdistill.registry import MODELS

UNIFORM = dict(type='mmdistill.UniformWeighting')


@pytest.fixture
def build_teacher(recognizer_config):
    """Two experts on rgb that preprocess alike, a third with another mean, and one on flow."""

    def build(**switches):
        other = recognizer_config()
        other['data_preprocessor']['mean'] = [100.0, 128.0, 128.0]
        experts = dict(
            rgb=dict(model=recognizer_config()),
            again=dict(model=recognizer_config(), modality='rgb'),
            other=dict(model=other, modality='rgb'),
            flow=dict(model=recognizer_config()),
        )
        for entry in experts.values():
            entry['checkpoint'] = None
        torch.manual_seed(0)
        cfg = dict(experts=experts, weighting=UNIFORM, **switches)
        return MODELS.build(dict(type='mmdistill.MultimodalTeacher', **cfg))

    return build


def test_one_tensor_for_experts_that_preprocess_alike(build_teacher, make_batch):
    teacher = build_teacher()
    inputs = teacher.data_preprocessor(make_batch(), False)['inputs']
    assert list(inputs) == ['rgb', 'again', 'other', 'flow']
    assert inputs['again'] is inputs['rgb']
    assert not torch.equal(inputs['other'], inputs['rgb'])
    assert not torch.equal(inputs['flow'], inputs['rgb'])


def test_the_answers_are_those_of_separate_tensors(build_teacher, make_batch):
    shared, apart = build_teacher(), build_teacher(share_inputs=False)
    inputs = apart.data_preprocessor(make_batch(), False)['inputs']
    assert inputs['again'] is not inputs['rgb']
    one, other = shared.teach(make_batch()), apart.teach(make_batch())
    for task, logits in one.expert_logits.items():
        assert torch.equal(logits, other.expert_logits[task])


@pytest.mark.parametrize(
    'change',
    [dict(std=[1.0, 64.0, 64.0]), dict(to_rgb=True), dict(format_shape='NCHW'), dict(mean=None)],
    ids=lambda change: next(iter(change)),
)
def test_alike_means_alike_in_everything(recognizer_config, change):
    cfg = recognizer_config()['data_preprocessor']
    mine, same = (MODELS.build(copy.deepcopy(cfg)) for _ in range(2))
    assert preprocess_alike(mine, same)
    assert not preprocess_alike(mine, MODELS.build(cfg | change))


def test_parts_of_a_preprocessor_count(recognizer_config):
    cfg = recognizer_config()['data_preprocessor']

    def build(mean):
        part = dict(cfg, mean=[mean] * 3)
        return MODELS.build(
            dict(type='MultiModalDataPreprocessor', preprocessors=dict(imgs=part, heatmaps=cfg))
        )

    assert preprocess_alike(build(1.0), build(1.0))
    assert not preprocess_alike(build(1.0), build(2.0))
