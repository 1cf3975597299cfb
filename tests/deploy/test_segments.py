"""Windows over a video, and the segments that they make: cases worked by hand."""

import numpy as np
import pytest

from mmdistill.deploy import Prediction, merge_windows, window_starts


def prediction(start, stop, best, sureness=2.0):
    logits = np.zeros(3, np.float32)
    logits['abc'.index(best)] = sureness
    return Prediction(
        'v', start, stop, dict(action=logits), dict(action=list('abc')), dict(action=1.0)
    )


@pytest.mark.parametrize(
    ('frames', 'window', 'stride', 'starts'),
    [
        (10, 4, 2, [0, 2, 4, 6]),
        (11, 4, 2, [0, 2, 4, 6, 7]),  # the end is seen
        (4, 4, 2, [0]),
        (3, 4, 2, [0]),
        (1, 4, 9, [0]),
        (12, 4, 9, [0, 8]),
    ],
)
def test_windows_cover_a_video(frames, window, stride, starts):
    assert window_starts(frames, window, stride) == starts
    assert starts[-1] + window >= frames


def test_numbers_below_one_are_refused():
    for numbers in ((0, 1, 1), (1, 0, 1), (1, 1, 0)):
        with pytest.raises(ValueError, match='whole number >= 1'):
            window_starts(*numbers)


def test_equal_neighbours_are_one_segment():
    windows = [
        prediction(0, 2, 'a', 1.0),
        prediction(1, 3, 'a', 3.0),
        prediction(2, 4, 'b'),
        prediction(3, 5, 'a'),
    ]
    first, second, third = merge_windows(windows)
    assert (first.label, first.start, first.stop) == ('a', 0, 2.5)
    assert (second.label, second.start, second.stop) == ('b', 2.5, 3.5)
    assert (third.label, third.start, third.stop) == ('a', 3.5, 5)
    assert first.confidence == pytest.approx((windows[0].confidence + windows[1].confidence) / 2)


def test_no_window_is_no_segment():
    assert merge_windows([]) == []
