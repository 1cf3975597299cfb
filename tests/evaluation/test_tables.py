"""Tables as text: numbers, missing ones, the student's row, special characters."""

from mmdistill.evaluation.tables import (
    Column,
    Table,
    cost_columns,
    latex_table,
    markdown_table,
    metric_columns,
)

ROWS = [
    {'title': 'RGB & flow_1', 'role': 'teacher', 'acc/verb/top1': 0.1234, 'params': 2_080_000},
    {'title': 'Student', 'role': 'student', 'acc/verb/top1': 0.5},
]
COLUMNS = [Column('verb %', 'acc/verb/top1', 100.0), Column('M params', 'params', 1e-6, 2)]


def test_markdown():
    assert markdown_table(ROWS, COLUMNS).splitlines() == [
        '|  | verb % | M params |',
        '| --- | ---: | ---: |',
        '| RGB & flow_1 | 12.3 | 2.08 |',
        '| **Student** | **50.0** | **–** |',
    ]


def test_latex():
    assert latex_table(ROWS, COLUMNS).splitlines() == [
        r'\begin{tabular}{lrr}',
        r'\toprule',
        r' & verb \% & M params \\',
        r'\midrule',
        r'RGB \& flow\_1 & 12.3 & 2.08 \\',
        r'\textbf{Student} & \textbf{50.0} & \textbf{--} \\',
        r'\bottomrule',
        r'\end{tabular}',
    ]


def test_a_backslash_is_no_command():
    row = {'title': r'a\b{c}', 'role': 'expert'}
    assert r'a\textbackslash{}b\{c\} \\' in latex_table([row], [])


def test_intervals_and_signs_are_written_beside_the_number():
    row = {'title': 'a|b', 'acc': -0.051, 'intervals': {'acc': [-0.1, 0.0]}}
    columns = [Column('verb', 'acc', 100.0, group='top-1', sign='+')]
    assert markdown_table([row], columns, 'corner').splitlines() == [
        '| corner | verb top-1 |',
        '| --- | ---: |',
        r'| a\|b | −5.1 [−10.0, +0.0] |',
    ]
    assert r'a\textbar{}b & $-$5.1 {\scriptsize [$-$10.0, +0.0]} \\' in latex_table([row], columns)


def test_every_task_has_its_columns():
    columns = metric_columns(['verb', 'action'])
    assert [column.key for column in columns] == [
        'acc/verb/top1',
        'acc/action/top1',
        'calibration/verb/ece',
        'calibration/action/ece',
        'calibration/verb/nll',
        'calibration/action/nll',
        'calibration/verb/brier',
        'calibration/action/brier',
    ]
    assert columns[1].heading == 'action top-1'
    assert Table('results', '', [], columns).groups() == [
        ('top-1', 2),
        ('ECE', 2),
        ('NLL', 2),
        ('Brier', 2),
    ]
    keys = {column.key for column in cost_columns([8])}
    assert {'params', 'flops', 'latency_ms', 'p95_ms', 'peak_bytes', 'throughput/8'} == keys
