"""Wrong combinations of losses, teacher and data end before the first iteration."""

import copy
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import ConcatDataset

from mmdistill.hooks import DistillationLossHook
from mmdistill.hooks.trial import check_labels, try_features
from mmdistill.models import ConfidenceAwareWeighting
from mmdistill.registry import DATASETS, MODELS

MARS = dict(
    type='mmdistill.FeatureMSELoss',
    student_layer='backbone.layer4',
    expert='flow',
    expert_layer='backbone.layer3',
    student_channels=32,
    expert_channels=16,
)


@pytest.fixture
def start(distillation, train):
    """Train with one more loss; fails the test if an iteration begins."""

    def run(loss, **changes):
        cfg = distillation(custom_hooks=[dict(type='mmdistill.DistillationLossHook')], **changes)
        cfg['model']['losses']['more'] = loss
        begun = []
        before = DistillationLossHook.before_train_iter
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                DistillationLossHook,
                'before_train_iter',
                lambda *args, **kwargs: begun.append(1) or before(*args, **kwargs),
            )
            try:
                return train(cfg)
            except Exception:
                assert not begun
                raise

    return run


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        (dict(expert='audio'), KeyError, r"'audio', but the teacher has \['rgb', 'flow'\]"),
        (dict(expert_layer='backbone.layer7'), KeyError, "'backbone.layer7' in expert 'flow'"),
        (dict(student_layer='backbone.layer7'), KeyError, "'backbone.layer7' in the student"),
        (dict(expert_channels=64), ValueError, 'student_channels=32, expert_channels=16'),
        (dict(student_channels=None, expert_channels=None), ValueError, 'must be equal'),
    ],
)
def test_features_that_cannot_be_compared(start, change, error, message):
    with pytest.raises(error, match=message):
        start({**MARS, **change})


def test_a_loss_that_needs_labels_on_a_data_set_without(start, distillation):
    loader = distillation()['train_dataloader']
    loader['dataset']['labelled'] = 'some'
    with pytest.raises(
        ValueError,
        match=r"the loss 'more' \(DKDLoss\) need .* random.csv is read with labelled='some'",
    ):
        start(dict(type='mmdistill.DKDLoss'), train_dataloader=loader)


def test_unlabelled_clips_are_found_below_wrappers_and_weightings_are_asked(parts):
    student, teacher, dataset = parts
    unlabelled = copy.copy(dataset)
    unlabelled.labelled = False
    wrapped = SimpleNamespace(dataset=ConcatDataset([dataset, unlabelled]))
    check_labels(student, teacher, wrapped)  # nothing asks for labels
    teacher.weightings['noun'] = ConfidenceAwareWeighting()
    with pytest.raises(ValueError, match=r"the weighting of 'noun' \(ConfidenceAware.*=False"):
        check_labels(student, teacher, wrapped)
    student.recognizer.neck = torch.nn.Identity()
    student.recognizer.neck.aux_head = torch.nn.Identity()
    with pytest.raises(ValueError, match='and the auxiliary loss of the neck'):
        check_labels(student, teacher, unlabelled)
    check_labels(student, teacher, dataset)


def test_the_trial_leaves_no_trace(parts):
    student, teacher, dataset = parts
    teacher.watch(student.wanted_features)
    student.train()
    before = copy.deepcopy(student.state_dict())
    draws = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    noisy = NoisyClips(dataset)
    try_features(student, teacher, SimpleNamespace(dataset=noisy, collate_fn=pseudo_collate))
    assert noisy.drawn == 1
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    assert draws[:2] == after[:2]
    assert torch.equal(draws[2], after[2])
    assert all(torch.equal(value, before[key]) for key, value in student.state_dict().items())
    assert all(module.training for module in student.modules())
    assert all(parameter.grad is None for parameter in student.parameters())


class NoisyClips:
    """Draws from every generator, as augmentation does."""

    def __init__(self, clips):
        self.clips = clips
        self.drawn = 0

    def __getitem__(self, index):
        self.drawn += 1
        random.random(), np.random.rand(), torch.rand(1)
        return self.clips[index]


@pytest.fixture
def parts(distillation):
    cfg = distillation()
    cfg['model']['losses']['mars'] = MARS
    cfg['teacher']['weighting'] = dict(type='mmdistill.UniformWeighting')
    dataset = DATASETS.build(cfg['train_dataloader']['dataset'])
    return MODELS.build(cfg['model']), MODELS.build(cfg['teacher']), dataset
