"""A whole report from files: rows, intervals, differences, scaling, tables; what is refused."""

import json

import numpy as np
import pytest

from mmdistill.commands.missing_modalities import main as compare_missing
from mmdistill.evaluation import read_report_config
from mmdistill.evaluation.comparison import compare_groups
from mmdistill.evaluation.cost import Cost
from mmdistill.evaluation.measure import ModelCost
from mmdistill.evaluation.report import build_report, read_inputs, write_report
from mmdistill.evaluation.report_rows import cost_of_row
from mmdistill.evaluation.report_tables import distinct
from mmdistill.evaluation.score_groups import load_groups
from mmdistill.metrics import ScoreTable, fit_temperature, load_scores, save_scores

from .conftest import LONG, make_table, write_clip, write_report_files, write_test_files

ACTION = 'acc/action/top1'


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('report')
    write_clip(folder / 'drawn')
    write_report_files(folder / 'runs', folder / 'drawn')
    return folder / 'runs'


@pytest.fixture(scope='module')
def written(root):
    """The report and its files, as texts by ending."""
    inputs = read_inputs(read_report_config(str(root / 'report.py')))
    report = build_report(inputs, num_resamples=50)
    paths = write_report(report, inputs, root / 'out')
    return report, {path.suffix[1:]: path.read_text(encoding='utf-8') for path in paths}


def row_of(report, name):
    return next(row for row in report['rows'] if row['name'] == name)


def test_rows_have_metrics_with_intervals_as_fractions(root, written):
    report = json.loads(written[1]['json'])
    assert report['tasks'] == ['verb', 'noun', 'action'] and report['headline_task'] == 'action'
    roles = {row['name']: row['role'] for row in report['rows']}
    assert list(roles) == ['base', 'small', 'rgb', 'flow', 'everything']
    for row in report['rows']:
        metrics = json.loads((root / 'test' / NAMES[row['name']] / 'metrics.json').read_text())
        for name, value in metrics['metrics'].items():
            assert row[name] == pytest.approx(value, abs=1e-6)
        for name in (ACTION, 'calibration/verb/ece', 'calibration/noun/nll'):
            low, high = row['intervals'][name]
            assert low < high
        low, high = row['intervals'][ACTION]
        assert low <= row[ACTION] <= high
    assert row_of(report, 'everything')['reads'] == ['rgb', 'flow', 'obj']
    assert row_of(report, 'rgb')['same_as'] == 'base' and len(distinct(report['rows'])) == 4


NAMES = {'base': 'rgb', 'small': 'small', 'rgb': 'rgb', 'flow': 'flow', 'everything': 'everything'}


def test_differences_are_to_the_baseline_and_paired(written):
    report = written[0]
    assert report['baseline'] == 'RGB <base>'
    assert [row['name'] for row in report['differences']] == ['small', 'flow', 'everything']
    for row in report['differences']:
        ours, base = row_of(report, row['name']), row_of(report, 'base')
        for name in (
            ACTION,
            'calibration/verb/ece',
            'calibration/action/nll',
            'acc/unseen/verb/top1',
        ):
            assert row[name] == pytest.approx(ours[name] - base[name])
            assert row['intervals'][name][0] <= row['intervals'][name][1]


def test_differences_are_those_of_a_comparison_with_the_same_draws(root, written):
    dumps = [f'{root}/test/{name}/scores.npz' for name in ('rgb', 'small')]
    compared = compare_groups(load_groups(dumps), num_resamples=500)['comparisons'][0]
    (row,) = [row for row in written[0]['differences'] if row['name'] == 'small']
    for task in compared['tasks'].values():
        for found in task['differences']:
            assert row[found['metric']] == found['difference']
            assert row['intervals'].get(found['metric']) == found['interval']


def test_temperatures_come_from_the_holdout_alone(root, written):
    row = row_of(written[0], 'small')
    holdout = load_scores(root / 'holdout/small/scores.npz')
    expected = fit_temperature(holdout.mean_scores('noun'), holdout.labels['noun'])
    assert row['temperatures']['noun'] == expected
    assert row['scaled']['metrics'][ACTION] == pytest.approx(row[ACTION], abs=0.1)
    assert 'scaled' not in row_of(written[0], 'flow')


def test_what_is_missing_is_said_with_what_gives_it(written):
    report, texts = written
    found = {part['section']: part['how'] for part in report['left_out']}
    assert set(found) == {
        *(f'Temperature scaling of {name}' for name in ('flow', LONG)),
        'Cost',
    }
    assert '--holdout --dump' in found['Temperature scaling of flow']
    assert 'Not in this report' in texts['html'] and '<code>mmdistill test' in texts['html']


def test_tables_are_written_with_intervals(written):
    report, texts = written
    value = f'{100 * row_of(report, "small")[ACTION]:.1f}'
    low, high = (f'{100 * end:.1f}' for end in row_of(report, 'small')['intervals'][ACTION])
    assert f'**{value} [{low}, {high}]**' in texts['md']
    assert f'\\textbf{{{value} {{\\scriptsize [{low}, {high}]}}}}' in texts['tex']
    for heading in ('Results', 'Difference to RGB <base>', 'Before and after scaling', 'Views'):
        shown = heading.replace('<', r'\<').replace('>', r'\>')
        assert f'## {shown}\n' in texts['md'] and f'% {heading}\n' in texts['tex']
    assert '<base>' not in texts['md'] + texts['html']
    assert '| 3 x 1, mean probs |' in texts['md']


def test_a_single_task_without_baseline_views_or_clips_is_a_report(root, tmp_path):
    table = make_table(1.0)
    scores, labels = ({'action': x['verb']} for x in (table.scores, table.labels))
    single = ScoreTable(table.sample_ids, table.groups, scores, labels, {})
    write_test_files(tmp_path / 'test', single, str(root / 'rgb.py'))
    config = tmp_path / 'report.py'
    config.write_text(
        f"models = dict(one=dict(role='teacher', test={str(tmp_path / 'test')!r}))\n"
        'cost, clips = False, False\n'
    )
    inputs = read_inputs(read_report_config(str(config)))
    report = build_report(inputs, num_resamples=20)
    write_report(report, inputs, tmp_path)
    assert report['tasks'] == ['action'] and report['differences'] == []
    assert [card['unit'] for card in report['cards']] == ['%', '% ECE']
    sections = {part['section'] for part in report['left_out']}
    assert {'Differences', 'Views', 'Cost', 'Training curves', 'Sample clips'} <= sections


def test_costs_are_per_view_and_per_clip():
    network = Cost(10, 600, 1.234, 2.0, 99)
    cost = ModelCost({'network': network, 'flow': Cost(latency_ms=1.0)}, {8: 3.0}, {}, {})
    row = cost_of_row(cost, num_views=3)
    assert (row['params'], row['flops'], row['latency_ms'], row['p95_ms']) == (10, 200, 2.23, 2.0)
    assert 'flow' in row['flops_note'] and row['cost']['flops'] == 600
    assert 'flops_note' not in cost_of_row(ModelCost({'network': network}, {}, {}, {}), 1)


@pytest.fixture(scope='module')
def missing(tmp_path_factory):
    """Where two models of two modalities were compared, on as many clips as the report has."""
    folder = tmp_path_factory.mktemp('missing')
    for name, skill in (('plain', 1.0), ('karmma', 2.0)):
        for seed, subset in enumerate(('rgb', 'obj', 'rgb+obj')):
            save_scores(folder / name / f'{subset}.npz', make_table(skill, seed))
    models = [f'{name}={folder / name}' for name in ('plain', 'karmma')]
    line = f'RGB student={folder / "plain/rgb.npz"}'
    compare_missing(['compare', *models, '--line', line, '--out', str(folder / 'tables')])
    return folder / 'tables'


def test_models_that_lose_modalities_are_a_section(root, missing, tmp_path):
    read = read_report_config(str(root / 'report.py'), {'missing': str(missing)})
    inputs = read_inputs(read)
    report = build_report(inputs, num_resamples=20)
    write_report(report, inputs, tmp_path)
    html = (tmp_path / 'report.html').read_text(encoding='utf-8')
    text = (tmp_path / 'report.md').read_text(encoding='utf-8')
    assert 'When modalities are missing' in html and 'Only obj may be lost' in html
    assert '## By the modalities that are there' in text and 'karmma - plain' in text
    found = json.loads((missing / 'missing.json').read_text())
    assert report['missing'] == found
    [row] = [r for r in found['tasks']['action']['subsets'] if r['subset'] == 'obj']
    ours = row['models']['karmma']
    low, high = (f'{100 * end:+.1f}'.replace('-', '−') for end in ours['interval'])
    assert f'{100 * ours["difference"]:+.1f}'.replace('-', '−') + f' [{low}, {high}]' in text
    flat = found['tasks']['action']['lines']['RGB student']
    assert f'RGB student, which loses nothing: {100 * flat:.1f} %' in text


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda found: found.update(num_clips=3), 'is of 3 clips, the tests of the report'),
        (lambda found: found.pop('tasks'), r"missing.json lacks \['tasks'\]: write it with"),
    ],
)
def test_a_comparison_of_something_else_is_told(root, missing, tmp_path, change, message):
    found = json.loads((missing / 'missing.json').read_text())
    change(found)
    (tmp_path / 'missing.json').write_text(json.dumps(found))
    inputs = read_inputs(read_report_config(str(root / 'report.py'), {'missing': str(tmp_path)}))
    with pytest.raises(ValueError, match=message):
        build_report(inputs, num_resamples=2)


class TestBadInput:
    @pytest.fixture
    def refused(self, root, tmp_path):
        """Read the report after a change of a dump."""

        def check(name, table, message):
            path = root / name / 'scores.npz'
            before = path.read_bytes()
            save_scores(path, table)
            try:
                with pytest.raises(ValueError, match=message):
                    inputs = read_inputs(read_report_config(str(root / 'report.py')))
                    build_report(inputs, num_resamples=2)
            finally:
                path.write_bytes(before)

        return check

    def test_other_clips(self, refused):
        refused('test/flow', make_table(1.0, num_clips=30), 'of another data set than the first')

    def test_other_classes(self, refused):
        table = make_table(1.0)
        table.scores['verb'] = np.concatenate([table.scores['verb']] * 2, axis=2)
        refused('test/flow', table, r"has the classes .*'verb': 6.*, the first dump has")

    def test_classes_in_another_order(self, refused):
        table = make_table(1.0)
        table.labels['verb'] = (table.labels['verb'] + 1) % 3
        refused('test/flow', table, 'cannot be compared on verb: its classes are in another order')

    def test_an_empty_split(self, refused):
        refused('test/flow', make_table(1.0, num_clips=0), 'is empty: test on a split')

    def test_a_holdout_with_clips_of_the_test(self, refused):
        expected = 'holdout/small.*: 40 clips are in the holdout and in the test'
        refused('holdout/small', make_table(1.0), expected)

    def test_a_holdout_of_other_classes(self, refused):
        table = make_table(1.0, prefix='P02')
        table.scores['noun'] = table.scores['noun'][..., :3]
        table.labels['noun'] %= 3
        refused('holdout/small', table, "holdout/small.* has the classes .*'noun': 3")

    def test_another_number_of_views(self, refused):
        refused('views/small', make_table(1.0, views=4), 'holds .4. views of a clip, not 5 clips')

    def test_a_dump_of_another_test_than_the_metrics(self, refused):
        refused('test/flow', make_table(3.0, 5), 'they are of different tests')
