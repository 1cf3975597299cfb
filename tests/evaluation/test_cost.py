"""Counts against numbers worked by hand."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from mmdistill.evaluation.cost import (
    Cost,
    count_flops,
    count_params,
    detector_cost,
    flow_cost,
    frames_read,
    measure_latency,
    model_cost,
    throughput,
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


def test_latency_is_that_of_the_calls_after_the_warm_up(monkeypatch):
    clock = iter([0, 1, 1.001, 2, 2.002, 3, 3.04])  # the warm-up is not timed
    watch = SimpleNamespace(perf_counter=lambda: next(clock))
    monkeypatch.setattr('mmdistill.evaluation.cost.time', watch)
    found = measure_latency(lambda: None, repeats=3, warmup=1)
    assert found == pytest.approx((2, 2 + 0.9 * 38))
    with pytest.raises(ValueError, match='at least one'):
        measure_latency(lambda: None, repeats=0)


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
    assert 0 < cost.latency_ms <= cost.p95_ms
    # Weights, and the collated clip and the answer beside them.
    assert cost.peak_bytes == 4 * (10 + 3 * 4 + 3 * 2)


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
    assert flow.latency_ms > 0 and flow.p95_ms > 0
    both = Cost(1, 2, 3.0, 4.0, 50).plus(Cost(10, 20, 30.0, 40.0, 5))
    assert both == Cost(11, 22, 33.0, 44.0, 50)


def test_a_cost_is_printed_in_readable_units():
    cost = Cost(4_957_394, 1_559_941_728, 78.0, 95.25, 19_762_032)
    expected = '4.96 M parameters, 1.56 GFLOPs, 78.0 ms (p95 95.2), 19.8 MB'
    assert f'{cost}' == expected


def test_throughput_counts_the_clips_of_a_batch(monkeypatch):
    batches = []

    class Recorder(nn.Module):
        def test_step(self, batch):
            batches.append(len(batch['inputs']))

    ticks = itertools.count(step=0.5)
    watch = SimpleNamespace(perf_counter=lambda: next(ticks))
    monkeypatch.setattr('mmdistill.evaluation.cost.time', watch)
    item = {'inputs': torch.zeros(1), 'data_samples': None}
    assert throughput(Recorder(), item, [1, 8], repeats=1) == {1: 2, 8: 16}
    assert batches == [1, 1, 8, 8]  # a call to warm up and one that counts


def _grays(count):
    return np.arange(count, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)


@pytest.mark.parametrize(
    'shape, modality, expected',
    [((2, 8, 10, 6), 'obj', 16), ((2, 2, 8, 64, 64), 'flow', 16), ((8, 2, 64, 64), 'flow', 8)],
)
def test_frames_of_a_clip(shape, modality, expected):
    assert frames_read(torch.zeros(shape), modality) == expected
