"""Tables of a report: columns by task and split, and notes that say what the numbers lack."""

from mmdistill.evaluation.cost import Cost
from mmdistill.evaluation.measure import ModelCost
from mmdistill.evaluation.report_rows import cost_of_row
from mmdistill.evaluation.report_tables import distinct, report_tables, selection_note

SPLITS = ('unseen', 'tail')


def row(name, reads=('rgb',), **more):
    numbers = {f'{x}/action/{y}': 0.5 for x, y in (('acc', 'top1'), ('acc', 'top5'))}
    splits = {f'acc/{s}/{t}/top{k}': 0.1 for t in ('verb', 'noun') for s in SPLITS for k in (1, 5)}
    facts = {'num_samples': 4, 'num_groups': 2, 'intervals': {}, 'reads': list(reads)}
    return {'name': name, 'title': name, 'role': 'expert', **numbers, **splits, **facts, **more}


def tables(*rows):
    report = {'tasks': ['verb', 'noun', 'action'], 'headline_task': 'action', 'rows': rows}
    report |= {'differences': [], 'baseline': None, 'machine': 'here', 'missing': {}}
    return {table.key: table for table in report_tables(report)}


def test_only_what_there_is_becomes_a_table():
    found = tables(row('a'))
    assert list(found) == ['results', 'splits']
    assert 'brackets' not in found['results'].note
    assert 'brackets' in tables(row('a', intervals={'x': [0, 1]}))['results'].note


def test_splits_stand_together_with_their_tasks_in_order():
    columns = tables(row('a'))['splits'].columns
    assert [(c.group, c.title) for c in columns] == [
        (split, task) for split in sorted(SPLITS) for task in ('verb', 'noun')
    ]


def test_the_cost_says_what_is_not_counted():
    def cost(*parts):
        measured = ModelCost({p: Cost(1, 2, 3.0) for p in ('network', *parts)}, {4: 9.0}, {}, {})
        return cost_of_row(measured, 1)

    plain = tables(row('a', **cost()), row('without'))['cost']
    assert [r['name'] for r in plain.rows] == ['a']
    assert 'not counted' not in plain.note and 'outside PyTorch' not in plain.note
    assert str(plain.cells(plain.rows[0])[-1]) == '9.0'
    full = tables(row('a', ('rgb', 'flow', 'audio'), **cost('flow')))['cost']
    assert 'outside PyTorch' in full.note and 'What makes audio is not counted.' in full.note


def test_a_test_under_two_names_is_shown_once():
    assert [r['name'] for r in distinct([row('a'), row('b', same_as='a')])] == ['a']


def test_the_page_says_how_checkpoints_were_chosen():
    rows = [
        dict(name='a', title='Baseline', selected='by top1 on the holdout'),
        dict(name='b', title='Student', selected='by top1 on the holdout'),
        dict(name='c', title='Teacher', selected=''),
    ]
    note = selection_note(rows)
    assert note == ' Checkpoints were chosen by top1 on the holdout (Baseline, Student).'
    rows.append(dict(name='d', title='Other', selected='by top1 on the tested clips'))
    assert selection_note(rows).endswith('These figures are better than those of new clips.')
    assert selection_note(rows[2:3]) == ''
