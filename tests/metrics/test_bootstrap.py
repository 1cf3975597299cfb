"""Draws of whole groups, in parts, and the interval of what they give."""

import numpy as np
import pytest

from mmdistill.metrics import bootstrap
from mmdistill.metrics.bootstrap import cluster_weights, percentile_interval, resample_groups


def test_clips_of_a_video_are_drawn_together_and_videos_as_often_as_there_are():
    groups = ['b', 'a', 'b', 'c', 'a', 'b']
    weights = cluster_weights(groups, 500, seed=1)
    assert weights.shape == (500, 6)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 4])
    np.testing.assert_array_equal(weights[:, [0, 1, 3]].sum(axis=1), 3)


def test_resamples_come_in_parts_that_fit_into_memory(monkeypatch):
    monkeypatch.setattr(bootstrap, 'PART_SIZE', 20)
    resamples = resample_groups(['b', 'a', 'b', 'c', 'a', 'b'], 10, seed=2)
    parts = [part.weights() for part in resamples.parts()]
    assert [len(part) for part in parts] == [3, 3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(parts), resamples.weights())


def test_the_interval_holds_the_middle_of_the_resamples():
    assert percentile_interval(0.2, np.arange(101.0), 0.9) == pytest.approx((0.2, 5, 95))
    with pytest.raises(ValueError, match=r'in \(0, 1\)'):
        percentile_interval(0.0, np.ones(2), 95)


def test_two_groups_are_enough_and_one_is_not():
    assert cluster_weights(['a', 'b', 'a'], 9).shape == (9, 3)
    with pytest.raises(ValueError, match='at least two of them, got 1'):
        cluster_weights(['a', 'a'], 9)
