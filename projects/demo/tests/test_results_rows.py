"""The rows of a results page, as its config lists them."""

from pathlib import Path

import pytest
from mmengine.config import Config

from projects.demo.chain.results_rows import ResultRow, read_rows, select_rows

ROOT = Path(__file__).parents[3]
PART = dict(title='Some', kind='student')
BASELINE = [dict(title='Models', kind='trained'), 'RGB', 'rgb.py']


def test_the_committed_page_has_the_rows_of_the_papers_kind_of_table():
    rows = read_rows(Config.fromfile(ROOT / 'projects/demo/configs/results.py'))
    points = {(row.kind, *sorted(row.point.items())) for row in rows.values()}
    for kind in ('teacher', 'student'):
        for experts in ('rgb+flow', 'rgb+obj', 'flow+obj'):
            assert (kind, ('experts', experts)) in points
        assert {(kind, ('gamma', gamma)) for gamma in (0.1, 0.3, 1)} <= points
        assert (kind, ('weighting', 'uniform')) in points
    assert ('student', ('experts', 'rgb')) in points
    trained = {row.config for row in rows.values() if row.kind == 'trained'}
    assert {f'projects/demo/configs/rgb{end}.py' for end in ('', '_smoothed', '_longer')} <= trained
    assert all((ROOT / config).is_file() for config in trained)


def test_a_row_is_a_config_or_a_point_in_a_part_of_the_page():
    listed = dict(rgb=BASELINE, a=[PART, 'A', dict(gamma=1)])
    rows = read_rows(Config(dict(rows=listed)))
    assert rows['a'] == ResultRow('a', 'Some', 'student', 'A', point=dict(gamma=1))
    assert rows['rgb'] == ResultRow('rgb', 'Models', 'trained', 'RGB', config='rgb.py')


def test_rows_are_chosen_by_name_in_the_order_of_the_page():
    listed = dict(rgb=BASELINE, **{name: [PART, name, {}] for name in 'abc'})
    rows = read_rows(Config(dict(rows=listed)))
    assert list(select_rows(rows, ['c', 'a'])) == ['a', 'c']
    assert select_rows(rows, None) == rows


class TestBadInput:
    def test_a_row_that_is_not_there(self):
        with pytest.raises(ValueError, match="no row 'x': expected some of .'a'"):
            select_rows({'a': None}, ['x'])

    def test_no_rows(self):
        with pytest.raises(ValueError, match='has no rows'):
            read_rows(Config(dict(views=1)))

    def test_no_baseline(self):
        with pytest.raises(ValueError, match="no row 'rgb', the baseline.*It has .'a'"):
            read_rows(Config(dict(rows=dict(a=[PART, 'A', {}]))))

    @pytest.mark.parametrize(
        'listed',
        [
            [PART, 'A'],
            [PART, 'A', 'projects/demo/configs/rgb.py'],
            [dict(PART, kind='trained'), 'A', {}],
            [dict(PART, kind='other'), 'A', {}],
            ['Some', 'A', {}],
            [PART, 'A', {}, 3],
        ],
    )
    def test_a_row_of_another_form(self, listed):
        with pytest.raises(ValueError, match="Row 'a' of .*; expected .dict"):
            read_rows(Config(dict(rows=dict(a=listed))))
