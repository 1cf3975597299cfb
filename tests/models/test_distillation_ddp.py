"""DDP waits for the gradient of every parameter, whatever a batch has no labels or features for.

Two ranks whose clips lack the teacher's modalities unevenly give the gradients of one process.
"""

import pytest
import torch
import torch.distributed
import torch.multiprocessing
from mmengine.registry import init_default_scope
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


# Clips that no expert can answer: all of the first rank's, one of the second rank's.
TAUGHT = (False, False, True, False)


def gradients(student, batch, taught, wrapped=lambda student: student):
    """Of one step; batch norm uses its running statistics, which no rank draws from its clips."""
    for module in student.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    for sample, reached in zip(batch['data_samples'], taught, strict=True):
        sample.teacher.set_metainfo(dict(taught=reached))
    model = wrapped(student)  # gone before the backward pass, DDP would not add up
    losses = model(**student.data_preprocessor(batch, True), mode='loss')
    student.parse_losses(losses)[0].backward()
    return {name: parameter.grad for name, parameter in student.named_parameters()}


def part(batch, rows):
    inputs = {name: [clips[i] for i in rows] for name, clips in batch['inputs'].items()}
    return dict(inputs=inputs, data_samples=[batch['data_samples'][i] for i in rows])


def run_rank(rank, folder, config, weights, batch):
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/rendezvous', rank=rank, world_size=2
    )
    init_default_scope('mmaction')
    student = MODELS.build(config)
    student.load_state_dict(weights)
    rows = range(2 * rank, 2 * rank + 2)
    taught = [TAUGHT[i] for i in rows]
    found = gradients(student, part(batch, rows), taught, DistributedDataParallel)
    torch.save(found, f'{folder}/{rank}.pth')
    torch.distributed.destroy_process_group()


def test_two_ranks_with_gaps_give_the_gradients_of_one(
    tmp_path, recognizer_config, make_batch, teach
):
    config = dict(
        type='mmdistill.StudentRecognizer',
        recognizer=recognizer_config(dropout_ratio=0.0),
        losses=dict(kd=dict(type='mmdistill.SoftTargetLoss', loss_weight=0.9)),
        label_weight=0.1,
    )
    student = MODELS.build(config)
    batch = make_batch(4)
    teach(batch, CLASSES)
    arguments = (str(tmp_path), config, student.state_dict(), batch)
    torch.multiprocessing.spawn(run_rank, args=arguments, nprocs=2)
    expected = gradients(student, batch, TAUGHT)
    for rank in range(2):
        found = torch.load(tmp_path / f'{rank}.pth')
        assert found.keys() == expected.keys()
        for name, gradient in expected.items():
            torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-5)
    assert any(gradient.abs().max() > 1e-2 for gradient in expected.values())
