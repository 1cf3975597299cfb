"""The rows of a results page: metrics by seed, changes, tables, figures."""

import csv
import io

import numpy as np
import pytest
from score_tables import make_table

from mmdistill.metrics import score_views, table_metrics
from projects.demo.chain.measured_rows import mean_views, mean_weights, measure_row, results_csv
from projects.demo.chain.results_figures import changes_plot
from projects.demo.chain.results_rows import ResultRow
from projects.demo.chain.results_text import results_markdown, weights_markdown

BASELINE = ResultRow('rgb', 'Models', 'trained', 'RGB', 'rgb.py')
STUDENT = ResultRow('student', 'Students', 'student', 'all', point=dict(gamma=1))
TEACHER = ResultRow('teacher', 'Teachers', 'teacher', 'both', point={})


@pytest.fixture(scope='module')
def baseline():
    return {seed: make_table(0.5, seed) for seed in range(3)}


@pytest.fixture(scope='module')
def results(baseline):
    better = {seed: make_table(2.0, 10 + seed) for seed in range(2)}
    weights = [dict(verb=dict(rgb=w, obj=1 - w)) for w in (0.2, 0.4)]
    return [
        measure_row(BASELINE, baseline, baseline, 200),
        measure_row(STUDENT, better, baseline, 200),
        measure_row(TEACHER, {0: make_table(3.0, 5)}, baseline, 200, weights),
    ]


def test_a_row_is_compared_with_the_baseline_of_its_own_seeds(results, baseline):
    student = results[1]
    assert list(student.metrics) == [0, 1]
    change = student.changes['acc/action/top1']
    gains = [
        student.metrics[s]['acc/action/top1'] - table_metrics(baseline[s])['acc/action/top1']
        for s in range(2)
    ]
    assert change['difference'] == pytest.approx(np.mean(gains))
    assert change['interval'][0] <= np.mean(gains) <= change['interval'][1]


def test_neither_the_baseline_nor_a_single_seed_has_a_change(results):
    assert results[0].changes == {} and results[2].changes == {}


def test_weights_are_the_mean_over_seeds(results):
    assert results[2].weights == dict(verb=pytest.approx(dict(rgb=0.3, obj=0.7)))
    assert mean_weights([]) == {}
    text = weights_markdown(results)
    assert '| both | rgb 30, obj 70 |' in text and 'RGB' not in text
    assert weights_markdown(results[:2]) == ''


def test_tables_have_a_part_each_with_spread_and_interval(results):
    text = results_markdown(results)
    assert [line for line in text.splitlines() if line.startswith('## ')] == [
        '## Models',
        '## Students',
        '## Teachers',
    ]
    lines = {line.split(' | ')[0]: line for line in text.splitlines() if line.startswith('| ')}
    action = [m['acc/action/top1'] for m in results[1].metrics.values()]
    spread = f'{100 * np.mean(action):.1f} ± {100 * np.std(action, ddof=1):.1f}'
    change = results[1].changes['acc/action/top1']
    low, high = (f'{100 * x:+.1f}'.replace('-', '−') for x in change['interval'])
    assert spread in lines['| all'] and f'[{low}, {high}]' in lines['| all']
    assert ' | 2 | ' in lines['| all'] and ' | – | ' in lines['| RGB']
    # One seed has no spread.
    assert '±' not in lines['| both']


def test_every_number_is_in_the_csv(results):
    rows = list(csv.DictReader(io.StringIO(results_csv(results))))
    assert len(rows) == sum(len(m) for r in results for m in r.metrics.values())
    one = next(
        r for r in rows if (r['row'], r['seed'], r['metric']) == ('student', '1', 'acc/verb/top1')
    )
    assert float(one['value']) == pytest.approx(results[1].metrics[1]['acc/verb/top1'], rel=1e-5)


def test_changes_are_drawn_where_there_are_some(results):
    svg = changes_plot(results)
    assert svg.startswith('<svg') and 'student: all' in svg and 'teacher: both' not in svg
    # The plot is the same whenever it is drawn.
    assert changes_plot(results) == svg


def test_views_are_averaged_over_seeds():
    seeds = [score_views(make_table(1.0, seed), 1, 1) for seed in range(3)]
    (logits, _), key = mean_views(seeds), 'acc/verb/top1'
    assert logits.metrics[key] == pytest.approx(np.mean([s[0].metrics[key] for s in seeds]))
    assert (logits.clips, logits.crops, logits.reducer) == (1, 1, 'logits')
