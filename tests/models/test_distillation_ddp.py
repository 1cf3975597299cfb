"""DDP waits for the gradient of every parameter, whatever a batch has no labels or features for."""

import pytest
import torch
import torch.distributed
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmdistill.registry import MODELS

CLASSES = dict(verb=4, noun=5)
LAYER = ('flow', 'backbone.layer3')


@pytest.fixture
def process_group(tmp_path):
    # One process is enough: DDP complains of a parameter without a gradient in any number.
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{tmp_path}/rendezvous', rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


@pytest.fixture
def student(recognizer_config):
    mars = dict(
        type='mmdistill.FeatureMSELoss',
        student_layer='backbone.layer4',
        student_channels=32,
        expert='flow',
        expert_layer='backbone.layer3',
        expert_channels=16,
    )
    return MODELS.build(
        dict(
            type='mmdistill.StudentRecognizer',
            recognizer=recognizer_config(),
            losses=dict(mars=mars, mse=dict(type='mmdistill.LogitMSELoss')),
        )
    )


def two_steps(student, make_batch, teach, rows, labelled):
    model = DistributedDataParallel(student)
    for _ in range(2):
        batch = make_batch(2)
        features = {LAYER: [torch.randn(rows, 16, 2, 4, 4) for _ in range(2)]}
        teach(batch, CLASSES, features)
        if not labelled:
            for sample in batch['data_samples']:
                sample.pop('gt_labels')
        losses = model(**student.data_preprocessor(batch, True), mode='loss')
        student.parse_losses(losses)[0].backward()


@pytest.mark.parametrize(('rows', 'labelled'), [(1, True), (0, True), (1, False), (0, False)])
def test_every_parameter_is_used_in_every_step(
    process_group, student, make_batch, teach, rows, labelled
):
    two_steps(student, make_batch, teach, rows, labelled)


def test_an_unused_parameter_would_be_an_error(process_group, student, make_batch, teach):
    student.unused = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match='Expected to have finished reduction'):
        two_steps(student, make_batch, teach, rows=1, labelled=True)
