"""All metrics of a table at once: the same names with intervals as without."""

import numpy as np
import pytest

from mmdistill.metrics import (
    ScoreTable,
    calibration_errors,
    calibration_intervals,
    table_intervals,
    table_metrics,
    task_accuracies,
)


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    sizes = dict(verb=6, noun=8)
    labels = {task: rng.integers(0, k, 40) for task, k in sizes.items()}
    scores = {task: rng.normal(size=(40, 1, k)).astype('f4') for task, k in sizes.items()}
    ids, groups = (np.array([f'{x}{i // n}' for i in range(40)]) for x, n in (('c', 1), ('v', 8)))
    return ScoreTable(ids, groups, scores, labels, {})


def test_names_values_and_defaults_are_those_of_the_metrics(table):
    metrics = table_metrics(table)
    accuracies = task_accuracies(table, 'logits', (1, 5))
    errors = calibration_errors(table, 'logits', 15)
    assert metrics == {
        **{f'acc/{name}': value for name, value in accuracies.items()},
        **{f'calibration/{name}': value for name, value in errors.items()},
    }
    assert {'acc/verb/top1', 'acc/noun/top5', 'acc/action/top5'} <= metrics.keys()


def test_every_metric_has_an_interval_around_it(table):
    metrics, intervals = table_metrics(table), table_intervals(table, 200)
    assert intervals.keys() == metrics.keys()
    for name, interval in intervals.items():
        assert interval.mean == pytest.approx(metrics[name])
        assert interval.low <= interval.high
    expected = calibration_intervals(table, 'logits', 15, 200)['verb/ece']
    assert intervals['calibration/verb/ece'] == pytest.approx(expected)
