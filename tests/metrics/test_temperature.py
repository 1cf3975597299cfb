"""Temperatures: the true one comes back, the answers stay, the joint action is of scaled parts."""

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import torch

from mmdistill.metrics import (
    ScoreTable,
    divided_by_temperature,
    fit_temperature,
    fit_temperatures,
    joint_log_probs,
    negative_log_likelihood,
    table_metrics,
)
from mmdistill.metrics.temperature import HIGHEST, LOWEST

from .test_calibration import random_table


def calibrated(num, num_classes, seed=0):
    """Logits, and labels drawn from their softmax: the best temperature is 1 but for chance."""
    generator = np.random.default_rng(seed)
    logits = 2 * generator.normal(size=(num, num_classes))
    gumbel = generator.gumbel(size=logits.shape)
    return logits, (logits + gumbel).argmax(1)


@pytest.mark.parametrize('true', [0.05, 0.3, 1.0, 4.0, 50.0])
def test_the_true_temperature_is_recovered(true):
    logits, labels = calibrated(20_000, 8)
    assert fit_temperature(true * logits, labels) == pytest.approx(true, rel=0.03)


@pytest.mark.parametrize(('num_classes', 'scale'), [(2, 0.05), (5, 3.0), (3806, 20.0)])
def test_it_is_the_minimum_that_scipy_finds(num_classes, scale):
    logits, labels = calibrated(60, num_classes, seed=1)
    logits = scale * logits

    def loss(log_temperature):
        return negative_log_likelihood(logits / np.exp(log_temperature), labels)

    expected = scipy.optimize.minimize_scalar(loss, bounds=(-5, 5), options=dict(xatol=1e-10))
    assert fit_temperature(logits, labels) == pytest.approx(np.exp(expected.x), rel=1e-4)


def test_logits_of_any_precision_and_size():
    logits, labels = calibrated(500, 4)
    expected = fit_temperature(logits, labels)
    huge = fit_temperature(1e5 + 30 * logits, labels)
    assert huge == pytest.approx(30 * expected)
    half = torch.from_numpy(logits).bfloat16()
    assert fit_temperature(half, torch.from_numpy(labels)) == fit_temperature(
        half.double().numpy(), labels
    )


def test_where_there_is_no_best_temperature_the_search_ends_at_its_limits():
    logits, _ = calibrated(50, 4)
    assert fit_temperature(logits, logits.argmax(1)) == pytest.approx(LOWEST)
    assert fit_temperature(logits, logits.argmin(1)) == pytest.approx(HIGHEST)


def test_bad_input_is_named():
    logits, labels = calibrated(5, 3)
    with pytest.raises(ValueError, match='sample 2'):
        fit_temperature(np.where(np.arange(5)[:, None] == 2, np.nan, logits), labels)
    with pytest.raises(ValueError, match='Label 3 of sample 0'):
        fit_temperature(logits, np.full(5, 3))
    with pytest.raises(ValueError, match='N, K > 0'):
        fit_temperature(logits[:0], labels[:0])
    with pytest.raises(ValueError, match='two classes'):
        fit_temperature(logits[:, :1], np.zeros(5, int))


def test_each_task_is_fitted_on_the_mean_of_its_views():
    table = random_table(num=200)
    found = fit_temperatures(table)
    assert set(found) == {'verb', 'noun'}
    for task, temperature in found.items():
        mean = table.scores[task].astype(float).mean(1)
        assert temperature == fit_temperature(mean, table.labels[task])
    without = ScoreTable(table.sample_ids, table.groups, table.scores, {}, {})
    with pytest.raises(ValueError, match='no labels'):
        fit_temperatures(without)


def test_the_action_is_the_sum_of_scaled_log_probabilities():
    table = random_table(num=50)
    scaled = divided_by_temperature(table, dict(verb=3.0, noun=0.5))
    logits = {t: x.astype(float).mean(1) for t, x in table.scores.items()}
    joint = joint_log_probs(logits['verb'] / 3, logits['noun'] / 0.5)
    rows = np.arange(50)
    nll = -joint[rows, table.labels['verb'], table.labels['noun']].mean()
    metrics = table_metrics(scaled)
    assert metrics['calibration/action/nll'] == pytest.approx(nll)
    # Each task's answers stay, the joint ones may not: they are ranked by sums.
    before = table_metrics(table)
    for task in ('verb', 'noun'):
        assert metrics[f'acc/{task}/top1'] == before[f'acc/{task}/top1']


@pytest.mark.parametrize(
    ('temperatures', 'message'),
    [
        (dict(verb=1.0), r"answers \['noun', 'verb'\]"),
        (dict(verb=1.0, noun=0.0), 'positive'),
        (dict(verb=float('nan'), noun=1.0), 'positive'),
    ],
)
def test_wrong_temperatures_are_refused(temperatures, message):
    with pytest.raises(ValueError, match=message):
        divided_by_temperature(random_table(num=4), temperatures)
