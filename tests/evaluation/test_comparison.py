"""A comparison of models on tables whose differences are known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmdistill.evaluation.comparison import compare_groups
from mmdistill.evaluation.comparison_text import comparison_markdown
from mmdistill.evaluation.score_groups import ScoreGroup, load_groups
from mmdistill.metrics import (
    expected_calibration_error,
    save_scores,
    table_metrics,
    task_accuracies,
)

from .conftest import CLASSES, make_table


def group(name, skill, seeds=(0,)):
    tail = {'tail_verb': np.arange(40) % 4 == 0}
    tables = [make_table(skill, seed) for seed in seeds]
    tables = [replace(table, flags=table.flags | tail) for table in tables]
    return ScoreGroup(name, tuple(f'{name}{s}.npz' for s in seeds), tuple(tables))


@pytest.fixture(scope='module')
def groups():
    return group('rgb', 0.5, (1, 2)), group('student', 2.0, (3, 4, 5))


@pytest.fixture(scope='module')
def result(groups):
    return compare_groups(groups, [group('flow', 3.0)], num_resamples=500)


def rows_of(result, task):
    rows = result['comparisons'][0]['tasks'][task]['differences']
    return {row['metric']: row for row in rows}


def test_accuracies_and_errors_are_those_of_the_metrics(groups, result):
    for key, model in (('baseline', groups[0]), ('model', groups[1])):
        expected = [task_accuracies(table, 'logits') for table in model.tables]
        for task in ('verb', 'noun', 'action'):
            values = rows_of(result, task)[f'acc/{task}/top1'][key]
            assert values == pytest.approx([found[f'{task}/top1'] for found in expected])
        unseen = rows_of(result, 'verb')['acc/unseen/verb/top1']
        assert unseen[key] == pytest.approx([found['unseen/verb/top1'] for found in expected])
        probs = [np.exp(table.log_probs('verb', 'logits')) for table in model.tables]
        ece = [expected_calibration_error(p, model.tables[0].labels['verb']) for p in probs]
        assert rows_of(result, 'verb')['calibration/verb/ece'][key] == pytest.approx(ece)


def test_splits_and_what_is_left_of_them_make_up_all_clips(result):
    rows = rows_of(result, 'verb')
    for one, other in (('tail', 'head'), ('unseen', 'seen')):
        parts = [rows[f'acc/{split}/verb/top1'] for split in (one, other)]
        assert sum(part['num_clips'] for part in parts) == 40
        mean = sum(part['num_clips'] * part['difference'] for part in parts) / 40
        assert mean == pytest.approx(rows['acc/verb/top1']['difference'])


def test_a_clear_gain_has_an_interval_above_zero_and_a_model_itself_none(groups, result):
    row = rows_of(result, 'verb')['acc/verb/top1']
    assert 0 < row['interval'][0] < row['difference'] < row['interval'][1]
    itself = compare_groups([groups[0], replace(groups[0], name='again')], num_resamples=200)
    assert rows_of(itself, 'verb')['acc/verb/top1']['interval'] == [0, 0]
    found = itself['comparisons'][0]['tasks']['verb']
    assert found['mcnemar'][0] == dict(only_baseline=0, only_model=0, p_value=1.0)
    assert found['confusions'] == []


def test_mcnemar_is_by_pair_of_trainings_and_agreement_over_all(groups, result):
    found = result['comparisons'][0]['tasks']['noun']
    theirs, ours = (x.top('noun')[1] for x in groups)
    assert len(found['mcnemar']) == 2
    for seed, test in enumerate(found['mcnemar']):
        assert test['only_model'] == (ours[seed] & ~theirs[seed]).sum()
        assert test['only_baseline'] == (theirs[seed] & ~ours[seed]).sum()
    assert 0 < found['agreement']['between'] < found['agreement']['model_seeds'] < 1


def test_classes_and_confusions_are_sorted_by_the_clips_that_changed(result):
    found = result['comparisons'][0]['tasks']['verb']
    rows = found['classes']
    assert sorted(row['class'] for row in rows) == [0, 1, 2]
    assert sum(row['num_clips'] for row in rows) == 40
    clips = [row['num_clips'] * (row['model'] - row['baseline']) for row in rows]
    assert clips == sorted(clips, reverse=True)
    gain = rows_of(result, 'verb')['acc/verb/top1']['difference']
    assert sum(clips) / 40 == pytest.approx(gain)
    changes = [row['model'] - row['baseline'] for row in found['confusions']]
    assert np.abs(changes).tolist() == sorted(np.abs(changes), reverse=True)
    # What is gained in right answers is lost in wrong ones; there are 6 of them.
    assert sum(changes) / 40 == pytest.approx(-gain)
    assert all(row['class'] != row['named'] for row in found['confusions'])


def test_the_result_is_json_and_the_page_names_classes_and_signs(result):
    assert json.loads(json.dumps(result)) == result
    text = comparison_markdown(result, CLASSES)
    assert '## student against rgb' in text and '### action' in text
    assert '| push |' in text and 'right where student gained' in text and '| flow |' in text
    for block in text.split('\n\n'):
        lines = [line.count('|') for line in block.splitlines() if line.startswith('|')]
        assert len(set(lines)) <= 1
    row = rows_of(result, 'noun')['acc/noun/top1']
    signed = f'{100 * row["difference"]:+.1f}'.replace('-', '−')
    spread = f'{100 * np.mean(row["model"]):.1f} ± {100 * np.std(row["model"], ddof=1):.1f}'
    assert f'| {spread} | {signed} |' in text
    assert '| verb |' not in comparison_markdown(result) and '| 0 |' in comparison_markdown(result)


def test_clips_of_one_video_have_no_interval(groups):
    tables = [replace(x.tables[0], groups=np.array(['P01'] * 40)) for x in groups]
    pair = [replace(x, tables=(t,)) for x, t in zip(groups, tables, strict=True)]
    rows = rows_of(compare_groups(pair, num_resamples=10), 'verb')
    assert rows['acc/verb/top1']['interval'] is None


def test_one_model_is_no_comparison(groups):
    with pytest.raises(ValueError, match='at least two models, got 1'):
        compare_groups(groups[:1])


def test_nll_and_brier_are_those_of_the_metrics(groups, result):
    for task in ('verb', 'noun', 'action'):
        for name in ('nll', 'brier'):
            metric = f'calibration/{task}/{name}'
            row = rows_of(result, task)[metric]
            for key, model in (('baseline', groups[0]), ('model', groups[1])):
                expected = [table_metrics(table)[metric] for table in model.tables]
                assert row[key] == pytest.approx(expected)
            assert row['interval'][0] < row['difference'] < row['interval'][1] < 0
    text = comparison_markdown(result)
    row = rows_of(result, 'action')['calibration/action/nll']
    low, high = (f'{end:+.2f}'.replace('-', '−') for end in row['interval'])
    assert 'calibration/action/nll, nats' in text.replace('\\', '') and f'[{low}, {high}]' in text


def test_the_order_of_clips_in_the_dumps_does_not_matter(tmp_path):
    order = np.random.default_rng(0).permutation(40)
    tables = [make_table(0.5, 1), make_table(2.0, 2)]
    for number, table in enumerate(tables):
        save_scores(tmp_path / f'{number}.npz', table)
    moved = tables[1]
    shuffled = type(moved)(
        moved.sample_ids[order],
        moved.groups[order],
        *({k: v[order] for k, v in x.items()} for x in (moved.scores, moved.labels, moved.flags)),
    )
    save_scores(tmp_path / '2.npz', shuffled)
    found = [
        compare_groups(load_groups([f'a={tmp_path}/0.npz', f'b={tmp_path}/{n}.npz']), (), 50)
        for n in (1, 2)
    ]
    assert found[0]['comparisons'] == found[1]['comparisons']
