"""Seconds of frame numbers, and their way through a tag."""

import numpy as np
import pytest

from mmdistill.video import FrameTimes

UNEVEN = FrameTimes(np.array([0, 0.04, 0.08, 1.2, 1.25]), 4.0)


def test_between_frames_in_proportion_and_beyond_them_at_the_rate():
    np.testing.assert_allclose(
        UNEVEN.at(np.array([0, 2, 2.5, 4, 5, -1])), [0, 0.08, 0.64, 1.25, 1.5, -0.25]
    )


def test_a_constant_rate():
    np.testing.assert_allclose(FrameTimes.constant(10).at(np.array([0, 3.5, 900])), [0, 0.35, 90])


def test_through_text():
    steps = np.random.default_rng(0).uniform(0.01, 0.1, 5000)
    times = FrameTimes(np.concatenate([[0], np.cumsum(steps)]), 18.0)
    text = times.to_text()
    back = FrameTimes.from_text(text, 18.0)
    np.testing.assert_allclose(back.times_F, times.times_F, atol=1e-6)
    assert back.frames_per_second == 18.0


def test_the_text_of_an_hour_of_two_durations_is_short():
    steps = np.tile([0.033, 0.034, 0.033], 36000)
    assert len(FrameTimes(np.cumsum(steps), 30.0).to_text()) < 20000


@pytest.mark.parametrize('text', ['', 'no base 64', 'AAAA', UNEVEN.to_text()[:-8]])
def test_damaged_text(text):
    with pytest.raises(ValueError, match='times of the frames'):
        FrameTimes.from_text(text, 25.0)
