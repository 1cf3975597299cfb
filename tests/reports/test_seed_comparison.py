"""Student against baseline over seeds, from the files that testing writes."""

import json

import numpy as np
import pytest

from mmdistill.reports import predictions
from mmdistill.reports.predictions import negative_log_likelihoods
from mmdistill.reports.seed_comparison import SeedRun, compare, to_markdown

from .conftest import make_table, write_test_files


@pytest.fixture
def runs(tmp_path):
    for seed in range(3):
        write_test_files(tmp_path / f'{seed}/rgb', make_table(0.5, seed))
        write_test_files(tmp_path / f'{seed}/student', make_table(2.0, 10 + seed))
    return [SeedRun.load(s, tmp_path / f'{s}/rgb', tmp_path / f'{s}/student') for s in range(3)]


def test_mean_and_spread_are_over_seeds(runs):
    result = compare(runs, 500)
    assert (result['seeds'], result['num_clips'], result['num_groups']) == ([0, 1, 2], 40, 8)
    row = next(row for row in result['rows'] if row['metric'] == 'acc/action/top1')
    gains = [
        predictions(run.student, 'action').correct_N.mean()
        - predictions(run.baseline, 'action').correct_N.mean()
        for run in runs
    ]
    assert row['difference_mean'] == pytest.approx(np.mean(gains))
    assert row['difference_std'] == pytest.approx(np.std(gains, ddof=1))
    assert row['interval'][0] < np.mean(gains) < row['interval'][1]
    assert json.loads(json.dumps(result)) == result


def test_a_clear_gain_lies_above_zero_and_none_does_not(runs):
    same = [
        run._replace(student=run.baseline, student_metrics=run.baseline_metrics) for run in runs
    ]
    gain, none = (
        next(row for row in compare(case, 500)['rows'] if row['metric'] == 'acc/verb/top1')
        for case in (runs, same)
    )
    assert gain['interval'][0] > 0
    assert none['interval'] == [0, 0]


def test_order_of_clips_in_the_files_does_not_matter(runs):
    order = np.random.default_rng(0).permutation(40)
    table = runs[1].student
    shuffled = type(table)(
        table.sample_ids[order],
        table.groups[order],
        {k: v[order] for k, v in table.scores.items()},
        {k: v[order] for k, v in table.labels.items()},
        {k: v[order] for k, v in table.flags.items()},
    )
    moved = [runs[0], runs[1]._replace(student=shuffled), runs[2]]
    assert compare(moved, 200) == compare(runs, 200)


def test_markdown_is_in_percent_with_true_minus_signs(runs):
    result = compare(runs, 200)
    text = to_markdown(result)
    lines = text.splitlines()
    assert lines[2].count('|') == lines[4].count('|') == 6
    assert '| action top-1, % |' in text
    row = next(row for row in result['rows'] if row['metric'] == 'acc/action/top1')
    assert f'{100 * row["difference_mean"]:+.1f} ± {100 * row["difference_std"]:.1f}' in text


def test_one_seed_is_no_comparison(runs):
    with pytest.raises(ValueError, match='at least two'):
        compare(runs[:1])


def test_nll_of_the_pair_is_the_sum_and_matches_what_testing_wrote(runs):
    for run in runs:
        for task in ('verb', 'action'):
            ours = negative_log_likelihoods(run.student, task).mean()
            assert ours == pytest.approx(run.student_metrics[f'calibration/{task}/nll'])
    row = next(r for r in compare(runs, 200)['rows'] if r['metric'] == 'calibration/action/nll')
    assert row['interval'][0] < row['difference_mean'] < row['interval'][1] < 0
    assert '| action NLL, nats |' in to_markdown(compare(runs, 200))
