"""The table of a sweep: means and spreads over seeds, and a plot that shows every point."""

import csv
import io

import numpy as np
import pytest

from mmdistill.evaluation.sweep_table import (
    axis_values,
    best_row,
    main_metrics,
    metric_names,
    sweep_figure,
    sweep_rows,
    to_csv,
)

TOP1, ECE = 'acc/action/top1', 'calibration/action/ece'
AXES = ['temperature', 'weighting']


def metrics(top1, ece=0.1):
    return {TOP1: top1, ECE: ece, 'acc/verb/top1': top1 / 2, 'acc/unseen/verb/top1': 0.0}


@pytest.fixture
def rows():
    points = [dict(temperature=t, weighting=w) for t in (4, 1) for w in ('uniform', 'softmin')]
    tested = [
        (point, metrics(0.1 * i + 0.01 * seed, 0.2 - 0.01 * i))
        for seed in range(3)
        for i, point in enumerate(points)
    ]
    failed = (dict(temperature=9, weighting='uniform'), None)
    return sweep_rows([*tested, failed])


def test_means_and_standard_deviations_are_over_seeds(rows):
    assert [row['runs'] for row in rows] == [3, 3, 3, 3, 0]
    for i, row in enumerate(rows[:4]):
        values = [0.1 * i + 0.01 * seed for seed in range(3)]
        assert row[TOP1] == pytest.approx(np.mean(values))
        assert row[f'{TOP1} std'] == pytest.approx(np.std(values, ddof=1))
    assert TOP1 not in rows[4]


def test_one_seed_has_no_spread():
    (row,) = sweep_rows([(dict(temperature=1), metrics(0.3))])
    assert (row['runs'], row[TOP1]) == (1, 0.3) and f'{TOP1} std' not in row


def test_the_csv_holds_every_metric_of_every_point(rows):
    read = list(csv.DictReader(io.StringIO(to_csv(rows, AXES))))
    assert len(read) == 5
    columns = {f'{name}{end}' for name in metric_names(rows) for end in ('', ' std')}
    for row, line in zip(rows, read, strict=True):
        assert set(line) == {*AXES, 'runs', *columns}
        for key, text in line.items():
            assert text == str(row.get(key, ''))


def test_the_main_metrics_are_those_of_the_action_or_of_the_tasks(rows):
    assert main_metrics(rows) == [TOP1, ECE]
    by_task = {'acc/verb/top1': 0.1, 'acc/noun/top1': 0.2, 'acc/tail/verb/top1': 0.0}
    assert main_metrics(sweep_rows([({}, by_task)])) == ['acc/noun/top1', 'acc/verb/top1']
    assert main_metrics([]) == []


def test_the_best_point_has_the_highest_accuracy_and_the_lowest_error(rows):
    assert best_row(rows, TOP1) is rows[3] and best_row(rows, ECE) is rows[3]
    assert best_row(rows[4:], TOP1) is None


def test_numbers_are_in_order_and_points_without_a_value_last():
    rows = [dict(gamma=3), dict(gamma=0.5), dict()]
    assert axis_values(rows, 'gamma') == [0.5, 3, 'none']
    assert axis_values([dict(weighting='b'), dict(weighting='a')], 'weighting') == ['b', 'a']


def test_the_plot_joins_points_that_differ_in_one_axis(rows):
    rows = [row | dict(gamma=1) for row in rows]
    figure = sweep_figure(rows, [*AXES, 'gamma'], [TOP1, ECE])
    panels = figure.axes
    assert [panel.get_xlabel() for panel in panels] == AXES * 2
    assert panels[0].get_ylabel() == f'{TOP1}, %'
    assert [tick.get_text() for tick in panels[0].get_xticklabels()] == ['1', '4']
    curves = [bars.lines[0] for bars in panels[0].containers]
    # One curve per weighting, at temperatures 1 and 4.
    assert [list(curve.get_xdata()) for curve in curves] == [[0, 1], [0, 1]]
    assert list(curves[0].get_ydata()) == pytest.approx([100 * rows[2][TOP1], 100 * rows[0][TOP1]])
    spread = curves[0].axes.containers[0].lines[2][0].get_segments()[0]
    assert spread[1][1] - spread[0][1] == pytest.approx(2 * 100 * rows[2][f'{TOP1} std'])
    assert [text.get_text() for text in panels[0].texts] == [f'{100 * rows[3][TOP1]:.1f}']
