"""Per-clip answers agree with the metrics computed from the same scores."""

import numpy as np
import pytest

from mmdistill.evaluation import aligned, best_classes, predictions, tasks_of

from .conftest import make_table, metrics_of


def test_answers_agree_with_the_metrics(tables):
    metrics = metrics_of(tables['strong'])
    assert tasks_of(tables['strong']) == ('verb', 'noun', 'action')
    for task in ('verb', 'noun', 'action'):
        correct = predictions(tables['strong'], task).correct_N
        assert correct.mean() == pytest.approx(metrics[f'acc/{task}/top1'])


def test_confidence_of_an_action_is_that_of_the_pair(tables):
    verb, noun, action = (
        predictions(tables['weak'], task).confidence_N for task in ('verb', 'noun', 'action')
    )
    np.testing.assert_allclose(action, verb * noun)


def test_best_classes_fall_in_probability(tables):
    best = best_classes(tables['weak'], 'noun', 3, 4)
    assert sum(answer.probability for answer in best) == pytest.approx(1)
    assert [a.probability for a in best] == sorted((a.probability for a in best), reverse=True)
    assert best[0].index == int(tables['weak'].scores['noun'][3, 0].argmax())


def test_alignment_moves_every_array(tables):
    table = tables['weak']
    order = np.random.default_rng(0).permutation(len(table.sample_ids))
    moved = aligned(table, table.sample_ids[order])
    np.testing.assert_array_equal(moved.groups, table.groups[order])
    np.testing.assert_array_equal(moved.scores['verb'], table.scores['verb'][order])
    np.testing.assert_array_equal(moved.labels['noun'], table.labels['noun'][order])
    np.testing.assert_array_equal(moved.flags['unseen'], table.flags['unseen'][order])


def test_other_clips_are_told():
    with pytest.raises(ValueError, match='same annotation file'):
        aligned(make_table(1.0, num_clips=10), make_table(1.0, num_clips=12).sample_ids)
