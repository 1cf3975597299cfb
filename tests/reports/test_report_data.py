"""Rows of report.json from the files that testing and training write."""

import json

import pytest

from mmdistill.reports import Cost, RowSource, best_detection, build_row, teacher_weights
from mmdistill.reports.report_data import curve, smoothed

from .conftest import metrics_of, write_scalars, write_test_files


def source(folder, **kwargs):
    given = {'name': 'flow_expert', 'title': 'Flow expert', 'role': 'expert', 'reads': ('flow',)}
    files = {'metrics': folder / 'metrics.json', 'scores': folder / 'scores.npz'}
    return RowSource(**{**given, **files, 'config': folder / 'c.py', **kwargs})


def test_a_row_holds_cost_and_metrics_as_fractions(tmp_path, tables):
    write_test_files(tmp_path / 'flow', tables['strong'])
    row = build_row(source(tmp_path / 'flow'), Cost(10, 600, 1.234), num_views=3)
    assert (row['name'], row['role'], row['num_samples']) == ('flow_expert', 'expert', 40)
    assert (row['params'], row['flops'], row['latency_ms']) == (10, 200, 1.23)
    assert 'flow' in row['flops_note']
    for key, value in metrics_of(tables['strong']).items():
        assert row[key] == value
    assert json.loads(json.dumps(row)) == row


def test_only_flow_has_uncounted_operations(tmp_path, tables):
    write_test_files(tmp_path / 'rgb', tables['weak'])
    assert 'flops_note' not in build_row(source(tmp_path / 'rgb', reads=('rgb',)), Cost())


def test_bad_files_are_told(tmp_path):
    with pytest.raises(FileNotFoundError, match='tools/test.py --out'):
        build_row(source(tmp_path), Cost())
    (tmp_path / 'metrics.json').write_text('{"metrics": {}}')
    with pytest.raises(ValueError, match='num_samples'):
        build_row(source(tmp_path), Cost())
    with pytest.raises(ValueError, match='role is one of'):
        source(tmp_path, role='referee')


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
