"""Costs of the demo's models, part by part, and at other sampling rates."""

import json

import pytest

from mmdistill.config_tools import load_config
from mmdistill.evaluation.cost import count_params
from mmdistill.evaluation.measure import (
    build_tested,
    measure_model,
    modalities_read,
    without_weights,
)
from mmdistill.models import FrameDetector


@pytest.fixture(scope='module')
def tool(load_tool):
    return load_tool('analysis/cost.py')


@pytest.fixture(scope='module')
def detector():
    return FrameDetector('projects/demo/configs/detector.py', None)


def test_a_teacher_pays_for_its_experts_for_flow_and_for_the_detector(tiny_data, detector):
    options = dict(data_root=f'{tiny_data}/')
    cfg = without_weights(load_config('projects/demo/configs/teacher.py', options))
    cost = measure_model(cfg, detector, repeats=1, batch_sizes=[2])
    assert set(cost.parts) == {'network', 'flow', 'obj'}
    assert cost.parts['obj'].params == count_params(detector.model)
    assert cost.total.params == cost.parts['network'].params + cost.parts['obj'].params
    assert cost.total.flops == cost.parts['network'].flops + cost.parts['obj'].flops
    assert cost.parts['flow'].flops == 0 and cost.parts['flow'].latency_ms > 0
    assert cost.total.peak_bytes == max(part.peak_bytes for part in cost.parts.values())
    assert cost.parts['network'].peak_bytes > 4 * cost.parts['network'].params
    assert cost.throughput[2] > 0
    # 8 frames in steps of 2 of videos with 10 frames per second.
    assert cost.frames == {'rgb': 8, 'flow': 8, 'obj': 8}
    assert cost.rates == {'rgb': 5, 'flow': 5, 'obj': 5}


def test_the_tool_measures_models_and_rates(tool, tiny_data, tmp_path):
    metrics = tmp_path / 'metrics.json'
    metrics.write_text(json.dumps(dict(metrics={'acc/action/top1': 0.25}, num_samples=8)))
    out = tmp_path / 'cost'
    tool.main(
        [
            'rgb=projects/demo/configs/rgb.py',
            *('--metrics', f'rgb={metrics}', '--frames', 'rgb=4', 'obj=1', '--repeats', '1'),
            *('--batch-sizes', '1', '--out', str(out)),
            *('--cfg-options', f'data_root={tiny_data}/', 'expert_dir=nowhere'),
        ]
    )
    result = json.loads((tmp_path / 'cost.json').read_text())
    whole, half = result['models'][0], result['rates'][0]
    assert len(result['rates']) == 1 and half['frames'] == {'rgb': 4}
    assert half['rates']['rgb'] == whole['rates']['rgb'] / 2
    assert half['flops'] == pytest.approx(whole['flops'] / 2, rel=0.1)
    assert whole['metrics']['acc/action/top1'] == 0.25 and '1' in whole['throughput']
    assert '<svg' in (tmp_path / 'cost.svg').read_text()


def test_boxes_need_a_detector_and_metrics_a_model(tool, tiny_data):
    options = dict(data_root=f'{tiny_data}/')
    cfg = load_config('projects/demo/configs/obj.py', options)
    assert modalities_read(cfg) == ('obj',)
    assert build_tested(cfg, ('obj',)).inputs('obj').shape[:2] == (1, 8)
    with pytest.raises(ValueError, match='reads boxes'):
        measure_model(cfg, None, repeats=1)
    with pytest.raises(SystemExit, match=r"names \['other'\]"):
        tool.main(['a=projects/demo/configs/rgb.py', '--metrics', 'other=x.json'])
