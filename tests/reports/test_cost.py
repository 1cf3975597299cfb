"""Counts against numbers worked by hand."""

import time

import numpy as np
import pytest
import torch
from torch import nn

from mmdistill.reports.cost import (
    Cost,
    count_flops,
    count_params,
    detector_cost,
    flow_cost,
    frames_read,
    median_latency_ms,
    model_cost,
)


def test_a_multiply_add_is_two_operations():
    layer = nn.Linear(7, 5)
    assert count_flops(lambda: layer(torch.zeros(3, 7))) == 2 * 3 * 7 * 5
    conv = nn.Conv3d(4, 6, 3, padding=1, groups=2)
    voxels = 2 * 8 * 8
    assert count_flops(lambda: conv(torch.zeros(1, 4, 2, 8, 8))) == 2 * voxels * 6 * 2 * 27


def test_a_transformer_in_evaluation_is_not_free():
    dim, length = 16, 6
    layer = nn.TransformerEncoderLayer(dim, 4, 32, batch_first=True).eval()
    projections = 2 * length * dim * dim * 4 + 2 * 2 * length * dim * 32
    attention = 2 * 2 * length * length * dim
    assert count_flops(lambda: layer(torch.zeros(1, length, dim))) == projections + attention
    assert torch.backends.mha.get_fastpath_enabled()


def test_shared_parameters_count_once():
    layer = nn.Linear(3, 3, bias=False)
    assert count_params(nn.Sequential(layer, layer)) == 9


def test_latency_is_the_median_without_the_warm_up():
    pauses = iter([0.05, 0.001, 0.002, 0.04])
    assert 1 < median_latency_ms(lambda: time.sleep(next(pauses)), repeats=3, warmup=1) < 10
    with pytest.raises(ValueError, match='at least one'):
        median_latency_ms(lambda: None, repeats=0)


class Recogniser(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def test_step(self, batch):
        assert not self.training
        return self.layer(torch.stack(batch['inputs']))


def test_cost_of_a_model_is_that_of_its_test_step():
    cost = model_cost(Recogniser(), {'inputs': torch.zeros(3, 4), 'data_samples': None}, repeats=1)
    assert cost[:2] == (10, 2 * 3 * 4 * 2)
    assert cost.latency_ms > 0


def test_extraction_is_added_to_the_network():
    class Detector:
        model = nn.Linear(2, 2, bias=False)

        def detect(self, frames):
            return self.model(torch.zeros(len(frames), 2))

    calls = []
    boxes = detector_cost(Detector(), np.zeros((5, 4, 4, 3), np.uint8), repeats=1)
    flow = flow_cost(lambda a, b: calls.append((a[0, 0], b[0, 0])), _grays(4), repeats=1)
    assert boxes[:2] == (4, 2 * 5 * 2 * 2)
    assert flow[:2] == (0, 0)
    assert calls[:3] == [(0, 1), (1, 2), (2, 3)]
    assert Cost(1, 2, 3.0).plus(Cost(10, 20, 30.0)) == Cost(11, 22, 33.0)


def _grays(count):
    return np.arange(count, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)


@pytest.mark.parametrize(
    'shape, modality, expected',
    [((2, 8, 10, 6), 'obj', 16), ((2, 2, 8, 64, 64), 'flow', 16), ((8, 2, 64, 64), 'flow', 8)],
)
def test_frames_of_a_clip(shape, modality, expected):
    assert frames_read(torch.zeros(shape), modality) == expected
