"""The calibration metric: names, and the joint action against the full table of pairs."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.special
import torch
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement

from mmdistill.metrics import (
    Calibration,
    ScoreTable,
    adaptive_ece,
    area_under_risk_coverage,
    brier_score,
    calibration_errors,
    calibration_intervals,
    classwise_ece,
    expected_calibration_error,
    negative_log_likelihood,
    overconfidence_share,
    reliability_by_task,
)
from mmdistill.registry import METRICS

NAMES = [
    'ece',
    'ece_l2',
    'mce',
    'adaptive_ece',
    'classwise_ece',
    'nll',
    'brier',
    'overconfidence',
    'aurc',
]


def random_table(num=80, kv=4, kn=5, views=2, seed=0):
    rng = np.random.default_rng(seed)
    logits = {
        'verb': 2 * rng.normal(size=(num, views, kv)).astype(np.float32),
        'noun': 2 * rng.normal(size=(num, views, kn)).astype(np.float32),
    }
    labels = {
        task: (x.mean(1) + rng.normal(size=(num, x.shape[-1]))).argmax(1)
        for task, x in logits.items()
    }
    ids = np.array([f's{i}' for i in range(num)])
    return ScoreTable(ids, ids, logits, labels, {})


def expected_values(probs, labels):
    return [
        *(expected_calibration_error(probs, labels, norm=n) for n in ('l1', 'l2', 'max')),
        adaptive_ece(probs, labels),
        classwise_ece(probs, labels),
        negative_log_likelihood(np.log(probs), labels),
        brier_score(probs, labels),
        overconfidence_share(probs, labels),
        area_under_risk_coverage(probs, labels),
    ]


def test_every_task_and_the_joint_action_have_every_number():
    table = random_table()
    metrics = calibration_errors(table, 'logits')
    probs = {
        task: scipy.special.softmax(x.astype(float).mean(1), axis=1)
        for task, x in table.scores.items()
    }
    labels = dict(table.labels)
    probs['action'] = np.einsum('nv,no->nvo', probs['verb'], probs['noun']).reshape(80, -1)
    labels['action'] = labels['verb'] * 5 + labels['noun']
    assert len(metrics) == len(probs) * len(NAMES)
    for task in probs:
        values = [metrics[f'{task}/{name}'] for name in NAMES]
        assert values == pytest.approx(expected_values(probs[task], labels[task]), rel=1e-9), task


def test_reliability_diagrams_count_every_sample_and_carry_the_ece():
    table = random_table()
    metrics = calibration_errors(table, 'logits')
    for task, bins in reliability_by_task(table, 'logits').items():
        assert bins.count_B.sum() == 80
        gap = np.nansum(bins.count_B * np.abs(bins.confidence_B - bins.accuracy_B)) / 80
        assert gap == pytest.approx(metrics[f'{task}/ece'])


def samples_of(table, as_probs=False):
    for i, name in enumerate(table.sample_ids):
        sample = ActionDataSample(metainfo=dict(sample_id=str(name)))
        labels = {task: torch.tensor([int(y[i])]) for task, y in table.labels.items()}
        sample.set_field(BaseDataElement(**labels), 'gt_labels')
        scores = {task: torch.from_numpy(x[i]) for task, x in table.scores.items()}
        if as_probs:
            scores = {task: x.mean(0).double().softmax(-1) for task, x in scores.items()}
        sample.set_field(scores, 'pred_score')
        yield sample


@pytest.mark.parametrize('kind', ['logits', 'probs'])
def test_the_metric_is_the_function_under_its_prefix(kind):
    table = random_table()
    metric = METRICS.build(dict(type='mmdistill.Calibration', scores=kind, num_bins=10))
    evaluator = Evaluator(metric)
    evaluator.process(list(samples_of(table, kind == 'probs')))
    expected = calibration_errors(table, 'logits', 10)
    metrics = evaluator.evaluate(80)
    assert metrics == {f'calibration/{k}': pytest.approx(v, rel=1e-5) for k, v in expected.items()}
    assert all(type(value) is float for value in metrics.values())
    diagrams = reliability_by_task(table, 'logits', 10)
    assert metric.reliability.keys() == diagrams.keys() == {'verb', 'noun', 'action'}
    for task, bins in diagrams.items():
        for ours, theirs in zip(metric.reliability[task], bins, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_the_metric_has_the_intervals_of_the_function_every_group_by_itself():
    table = random_table()
    table = replace(table, groups=np.array([f'video{i // 10}' for i in range(80)]))
    metric = METRICS.build(dict(type='mmdistill.Calibration', scores='logits', num_resamples=50))
    evaluator = Evaluator(metric)
    samples = list(samples_of(table, False))
    for sample, group in zip(samples, table.groups, strict=True):
        sample.set_metainfo(dict(group=str(group)))
    evaluator.process(samples)
    metrics = evaluator.evaluate(80)
    for name, interval in calibration_intervals(table, 'logits', num_resamples=50).items():
        for end in ('low', 'high'):
            found = metrics[f'calibration/{name}/{end}']
            assert found == pytest.approx(getattr(interval, end), rel=1e-5), name


def test_a_probability_of_zero_for_the_label_keeps_the_nll_finite():
    table = ScoreTable(
        np.array(['a']),
        np.array(['a']),
        {'action': np.array([[[1.0, 0.0]]], np.float32)},
        {'action': np.array([1])},
        {},
    )
    assert calibration_errors(table, 'probs')['action/nll'] == pytest.approx(708.396, abs=1e-3)


def test_bad_arguments_are_errors():
    with pytest.raises(ValueError, match='num_bins'):
        Calibration(scores='logits', num_bins=0)
    with pytest.raises(ValueError, match="scores='logits' or scores='probs'"):
        Calibration(scores='auto')
