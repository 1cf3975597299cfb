"""Sound of an older version, which took the rate of a video for constant, is found."""

from pathlib import Path

import numpy as np

from mmdistill.extraction.check_times import otherwise_timed
from mmdistill.video import FrameTimes

UNEVEN = FrameTimes(np.array([0, 0.04, 0.08, 0.12, 1.2]), 4.0)


def test_a_constant_rate_for_a_variable_one():
    [problem] = otherwise_timed(Path('a.flac'), FrameTimes.constant(4.0), UNEVEN)
    assert problem.startswith('a.flac has frames of its video up to 0.63 s off')
    assert problem.endswith('extract it again')


def test_no_times_at_all():
    [problem] = otherwise_timed(Path('a.flac'), None, UNEVEN)
    assert problem.startswith('a.flac does not say when')


def test_fine():
    assert otherwise_timed(Path('a.flac'), UNEVEN, UNEVEN) == []
    even = FrameTimes(np.arange(5) / 25, 25.0)
    assert otherwise_timed(Path('a.flac'), FrameTimes.constant(25.0), even) == []
