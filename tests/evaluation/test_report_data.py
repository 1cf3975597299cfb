"""What is read from the files that testing, training and chains of stages write."""

import json

import pytest

from mmdistill.evaluation import best_detection, teacher_weights
from mmdistill.evaluation.report_data import curve, read_metrics, smoothed, stage_costs

from .conftest import write_scalars, write_test_files


def test_metrics_are_read_and_bad_files_told(tmp_path, tables):
    write_test_files(tmp_path / 'flow', tables['strong'])
    assert read_metrics(tmp_path / 'flow/metrics.json')['num_samples'] == 40
    with pytest.raises(FileNotFoundError, match='mmdistill test --out'):
        read_metrics(tmp_path / 'metrics.json')
    (tmp_path / 'metrics.json').write_text('{"metrics": {}}')
    with pytest.raises(ValueError, match='num_samples'):
        read_metrics(tmp_path / 'metrics.json')


def test_stages_are_in_the_order_they_ended(tmp_path):
    for name, finished in (('b', 1.0), ('a', 2.0)):
        stamp = {'seconds': 3.0, 'peak_bytes': 4, 'finished': finished, 'identity': {}}
        (tmp_path / f'{name}.json').write_text(json.dumps(stamp))
    (tmp_path / 'c.started.json').write_text('{}')
    assert stage_costs(tmp_path) == [
        {'name': name, 'seconds': 3.0, 'peak_bytes': 4} for name in ('b', 'a')
    ]


def test_detector_is_reported_at_its_best_epoch(tmp_path):
    lines = [
        {'loss': 1.0, 'step': 3},
        {'coco/bbox_mAP': 0.3, 'coco/bbox_mAP_50': 0.7, 'step': 1},
        {'coco/bbox_mAP': 0.5, 'coco/bbox_mAP_50': 0.8, 'step': 2},
        {'coco/bbox_mAP': 0.4, 'coco/bbox_mAP_50': 0.9, 'step': 3},
        {'coco/bbox_mAP': 0.6, 'coco/bbox_mAP_50': 0.9, 'step': 4},
    ]
    write_scalars(tmp_path, '20250101_000000', lines)
    assert best_detection(tmp_path) == {'ap50': 0.9, 'ap': 0.4, 'epoch': 3}
    assert best_detection(tmp_path / 'nothing') == {}


def test_a_curve_goes_on_over_a_resumed_run(tmp_path):
    write_scalars(tmp_path, '1', [{'loss': 3.0, 'step': 1}, {'loss': 2.0, 'step': 2}])
    write_scalars(tmp_path, '2', [{'loss': 2.5, 'step': 2}, {'loss': 1.0, 'step': 3}, {'lr': 1}])
    assert curve(tmp_path, 'loss') == ([1, 2, 3], [3.0, 2.5, 1.0])


def test_weights_of_the_teacher_come_from_the_log(tmp_path):
    line = {'holdout/rgb/weight/verb': 0.2, 'holdout/obj/weight/verb': 0.8, 'step': 0}
    write_scalars(tmp_path, '1', [line | {'holdout/rgb/acc/verb/top1': 0.5}])
    assert teacher_weights(tmp_path) == {'verb': {'rgb': 0.2, 'obj': 0.8}}


def test_smoothing_looks_back_only():
    assert smoothed([4.0, 2.0, 0.0, 4.0], 2) == [4.0, 3.0, 1.0, 2.0]
    assert smoothed([4.0, 2.0], 1) == [4.0, 2.0]
    assert smoothed([], 3) == []
