"""Intervals against closed forms, and pairing and grouping that really hold."""

import numpy as np
import pytest

from mmdistill.evaluation.bootstrap import paired_ece_interval, paired_mean_interval, weighted_ece
from mmdistill.metrics import expected_calibration_error


def test_interval_of_a_mean_matches_the_normal_approximation():
    generator = np.random.default_rng(0)
    differences = generator.normal(0.3, 1.0, size=400)
    interval = paired_mean_interval(differences, np.arange(400), num_resamples=20_000)
    error = 1.96 * differences.std() / np.sqrt(400)
    assert interval.mean == pytest.approx(differences.mean())
    assert interval.low == pytest.approx(differences.mean() - error, abs=0.01)
    assert interval.high == pytest.approx(differences.mean() + error, abs=0.01)


def test_like_clips_of_a_video_widen_the_interval():
    per_video = np.random.default_rng(0).normal(size=40)
    differences, groups = np.repeat(per_video, 10), np.repeat(np.arange(40), 10)
    by_video = paired_mean_interval(differences, groups, 4000)
    by_clip = paired_mean_interval(differences, np.arange(400), 4000)
    ratio = (by_video.high - by_video.low) / (by_clip.high - by_clip.low)
    assert ratio == pytest.approx(np.sqrt(10), rel=0.1)


def test_seeds_are_pooled_clip_by_clip():
    differences = np.array([[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]])
    # Over the two seeds every clip gains exactly a half: there is nothing left to vary.
    assert paired_mean_interval(differences, ['a', 'b', 'c', 'd'], 200) == (0.5, 0.5, 0.5)


def test_same_seed_same_interval():
    differences = np.random.default_rng(3).normal(size=50)
    first, second = (paired_mean_interval(differences, np.arange(50), 300) for _ in range(2))
    assert first == second
    assert first != paired_mean_interval(differences, np.arange(50), 300, seed=1)


def test_ece_with_equal_weights_is_the_metric():
    generator = np.random.default_rng(0)
    probs = generator.dirichlet(np.ones(5), size=200)
    labels = generator.integers(0, 5, 200)
    ece = weighted_ece(probs.max(1), probs.argmax(1) == labels, np.ones((1, 200)))
    assert ece[0] == pytest.approx(expected_calibration_error(probs, labels), abs=1e-12)


def test_ece_with_weights_is_the_ece_of_the_repeated_clips():
    generator = np.random.default_rng(1)
    confidence, correct = generator.uniform(size=30), generator.uniform(size=30) < 0.5
    weights = generator.integers(0, 4, 30)
    index = np.repeat(np.arange(30), weights)
    repeated = weighted_ece(confidence[index], correct[index], np.ones((1, len(index))))
    assert weighted_ece(confidence, correct, weights[None].astype(float)) == pytest.approx(repeated)


def test_difference_of_ece_is_first_minus_second():
    confidence = np.full((2, 40), 0.99)
    always, never = np.ones((2, 40), bool), np.zeros((2, 40), bool)
    groups = np.repeat(np.arange(8), 5)
    interval = paired_ece_interval((confidence, always), (confidence, never), groups, 100)
    assert interval == pytest.approx((0.01 - 0.99,) * 3)


def test_bad_input_is_told():
    with pytest.raises(ValueError, match='at least two'):
        paired_mean_interval(np.ones(4), ['a'] * 4)
    with pytest.raises(ValueError, match='3 values for 4 clips'):
        paired_mean_interval(np.ones(3), ['a', 'b', 'c', 'd'])
    with pytest.raises(ValueError, match=r'in \(0, 1\)'):
        paired_mean_interval(np.ones(2), ['a', 'b'], level=95)
