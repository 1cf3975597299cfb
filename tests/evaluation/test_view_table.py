"""The tables of views hold the scores they are given, and the plot every model."""

import csv
import io

from mmdistill.evaluation.view_table import KEYS, views_csv, views_markdown, views_plot
from mmdistill.metrics import ViewScore


def scores(top1):
    def metrics(value):
        return {
            'acc/action/top1': value,
            'calibration/action/ece': 0.1,
            'calibration/action/nll': 2,
        }

    return [
        ViewScore(clips, crops, reducer, clips != 2, metrics(top1 + 0.01 * clips))
        for clips in (1, 2, 3)
        for crops in (1, 3)
        for reducer in ('logits', 'probs')
    ]


def test_csv_has_a_line_per_combination():
    rows = list(csv.DictReader(io.StringIO(views_csv({'a': scores(0.5)}, ['action']))))
    assert len(rows) == 12
    assert rows[4] | {'exact': 'false'} == rows[4]
    assert (rows[-1]['views'], rows[-1]['reducer'], rows[-1]['exact']) == ('9', 'probs', 'true')
    assert float(rows[-1]['acc/action/top1']) == 0.53


def test_markdown_sets_models_side_by_side():
    teacher = [s for s in scores(0.7) if (s.clips, s.crops) == (1, 1)]
    table = views_markdown({'student': scores(0.5), 'teacher': teacher}, 'action')
    assert table.startswith('| action: clips x crops | student top-1 | student ECE | teacher top-1')
    assert '| 1 x 1, mean logits | 51.0 | 10.0 | 71.0 | 10.0 |' in table
    assert r'| 2 x 3\*, mean probs | 52.0 | 10.0 | – | – |' in table
    assert table.count('\n| ') == 2 + 12 - 1 and 'nearest of the tested clips' in table
    assert '*' not in views_markdown({'teacher': teacher}, 'action')


def test_the_plot_names_models_and_crops():
    svg = views_plot({'student': scores(0.5)}, 'action')
    assert 'student, 3 crops, mean probs' in svg and 'action, top-1, %' in svg
    one = views_plot({'mine': scores(0.5)}, 'action', {'mine': '#123456'}, KEYS[1:2])
    assert '#123456' in one and 'action, ECE, %' in one and 'top-1' not in one
