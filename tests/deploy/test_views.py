"""Views and logits in their order, and how many threads a network may use."""

import numpy as np
import pytest

from mmdistill.deploy import PublishedModel
from mmdistill.deploy.views import as_views, by_clip, mean_over_views, num_threads


def test_segments_of_a_2d_view_stay_together():
    clip = dict(sample=dict(clip_len=1, num_clips=4), modality=dict(input_format='NCHW'))
    described = PublishedModel({}, clip, {}, {})
    frames = np.arange(8 * 3).reshape(8, 3, 1, 1)
    assert as_views(frames, described).shape == (2, 4, 3, 1, 1)
    assert (as_views(frames, described)[1, 0] == frames[4]).all()


def test_logits_by_clip_and_their_mean():
    logits = by_clip(dict(verb=np.arange(12.0).reshape(6, 2)), 3)['verb']
    assert logits.shape == (3, 2, 2) and logits.dtype == np.float32
    assert mean_over_views(dict(verb=logits))['verb'].tolist() == [[1, 2], [5, 6], [9, 10]]


@pytest.mark.parametrize(('text', 'expected'), [('', 0), ('3', 3), ('4,2', 4)])
def test_threads_are_those_of_openmp(monkeypatch, text, expected):
    monkeypatch.setenv('OMP_NUM_THREADS', text)
    assert num_threads() == expected


def test_threads_that_are_no_number(monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', 'many')
    with pytest.raises(ValueError, match="number of threads, got 'many'"):
        num_threads()
