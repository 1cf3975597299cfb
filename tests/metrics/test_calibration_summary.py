"""Streaming and intervals: the same numbers without the scores, for any number of classes."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import scipy.special
import torch
from mmengine.evaluator import Evaluator

from mmdistill.metrics import (
    Calibration,
    ScoreTable,
    calibration_errors,
    calibration_intervals,
    classwise_ece,
)
from mmdistill.metrics.bootstrap import resample_groups

from .test_calibration import NAMES, random_table, samples_of


def grouped(table, size=4):
    groups = np.array([f'video{i // size}' for i in range(len(table.sample_ids))])
    return replace(table, groups=groups)


def repeated(table, counts):
    """The table in which every sample occurs so often."""
    index = np.repeat(np.arange(len(counts)), counts)
    return ScoreTable(
        np.arange(len(index)).astype(str),
        table.groups[index],
        {task: x[index] for task, x in table.scores.items()},
        {task: y[index] for task, y in table.labels.items()},
        {},
    )


def test_intervals_are_those_of_resampled_tables():
    table = grouped(random_table(num=40))
    draws = resample_groups(table.groups, 25, seed=3).weights().astype(int)
    values = [calibration_errors(repeated(table, counts), 'logits') for counts in draws]
    found = calibration_intervals(table, 'logits', num_resamples=25, level=0.8, seed=3)
    assert set(found) == {f'{t}/{n}' for t in ('verb', 'noun', 'action') for n in NAMES}
    for name, interval in found.items():
        low, high = np.quantile([value[name] for value in values], [0.1, 0.9])
        assert interval[1:] == pytest.approx((low, high), abs=1e-10), name
        assert interval.mean == pytest.approx(calibration_errors(table, 'logits')[name]), name


def test_like_clips_of_a_video_widen_the_interval():
    table = random_table(num=30)
    ten = repeated(table, np.full(30, 10))
    by_video = calibration_intervals(ten, 'logits', num_resamples=300)['verb/nll']
    by_clip = calibration_intervals(
        replace(ten, groups=ten.sample_ids), 'logits', num_resamples=300
    )['verb/nll']
    ratio = (by_video.high - by_video.low) / (by_clip.high - by_clip.low)
    assert ratio == pytest.approx(np.sqrt(10), rel=0.2)


def test_the_metric_reports_intervals_when_asked():
    table = grouped(random_table(num=40))
    samples = list(samples_of(table))
    for sample, group in zip(samples, table.groups, strict=True):
        sample.set_metainfo(dict(group=str(group)))
    evaluator = Evaluator(Calibration(scores='logits', num_resamples=50))
    evaluator.process(samples)
    metrics = evaluator.evaluate(40)
    for name, interval in calibration_intervals(table, 'logits', num_resamples=50).items():
        low, high = (metrics[f'calibration/{name}/{end}'] for end in ('low', 'high'))
        assert (low, high) == pytest.approx(interval[1:], abs=1e-12)
    with pytest.raises(ValueError, match='at least two'):
        calibration_intervals(replace(table, groups=np.full(40, 'a')), 'logits')


def test_the_padding_of_the_sampler_is_dropped_from_the_sums_as_well():
    table = random_table(num=9)
    metric = Calibration(scores='logits')
    metric.process(None, [sample.to_dict() for sample in samples_of(table)])
    found = metric.evaluate(8)
    expected = calibration_errors(repeated(table, [1] * 8 + [0]), 'logits')
    assert found == {f'calibration/{k}': pytest.approx(v) for k, v in expected.items()}


@pytest.mark.parametrize('num_classes', [2, 3806])
def test_few_and_many_classes(num_classes):
    generator = np.random.default_rng(0)
    logits = 4 * generator.normal(size=(20, 1, num_classes)).astype(np.float32)
    labels = (logits[:, 0] + 2 * generator.normal(size=logits[:, 0].shape)).argmax(1)
    ids = np.arange(20).astype(str)
    errors = calibration_errors(
        ScoreTable(ids, ids, {'action': logits}, {'action': labels}, {}), 'logits'
    )
    probs = scipy.special.softmax(logits[:, 0].astype(float), axis=1)
    assert errors['action/classwise_ece'] == pytest.approx(classwise_ece(probs, labels), abs=1e-12)


def epic_samples(number, generator):
    """Clips with EPIC-KITCHENS-100's numbers of verbs and nouns."""
    for i in range(number):
        scores = {t: torch.from_numpy(generator.normal(size=k)) for t, k in SIZES.items()}
        labels = {t: torch.tensor([int(generator.integers(k))]) for t, k in SIZES.items()}
        yield dict(sample_id=f'{i}', group=f'{i % 5}', pred_score=scores, gt_labels=labels)


SIZES = dict(verb=97, noun=300)


def test_the_action_of_all_pairs_needs_no_array_of_them():
    metric = Calibration(scores='logits')
    generator = np.random.default_rng(0)
    metric.process(None, list(epic_samples(2, generator)))
    tracemalloc.start()
    for sample in epic_samples(60, generator):
        metric.process(None, [sample | dict(sample_id=f'x{sample["sample_id"]}')])
    kept, peak = tracemalloc.get_traced_memory()
    errors = metric.evaluate(62)
    peak_at_the_end = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 60 clips of 97 x 300 float64 are 14 MB.
    assert kept < 0.5e6 and peak < 2e6 and peak_at_the_end < 3e6
    assert errors['calibration/action/nll'] == pytest.approx(
        errors['calibration/verb/nll'] + errors['calibration/noun/nll']
    )


def test_bfloat16_and_confidence_one():
    sure = dict(pred_score=torch.tensor([300.0, 0.0]).bfloat16(), sample_id='a', group='a')
    metric = Calibration(scores='logits')
    metric.process(None, [sure | dict(gt_label=torch.tensor([0]))])
    found = metric.evaluate(1)
    assert all(found[f'calibration/action/{name}'] == pytest.approx(0) for name in NAMES)
    metric.process(None, [sure | dict(gt_label=torch.tensor([1]))])
    found = metric.evaluate(1)
    assert found['calibration/action/ece'] == 1
    assert found['calibration/action/nll'] == pytest.approx(300)
    assert found['calibration/action/overconfidence'] == 1
