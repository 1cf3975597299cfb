"""Tables as text: numbers, missing ones, the student's row, special characters."""

from mmdistill.reports.tables import Column, latex_table, markdown_table, report_columns

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


def test_every_task_has_its_columns():
    keys = [column.key for column in report_columns(['verb', 'action'])]
    assert keys[:4] == [
        'acc/verb/top1',
        'acc/action/top1',
        'calibration/verb/ece',
        'calibration/action/ece',
    ]
    assert {'params', 'flops', 'latency_ms'} <= set(keys)
