"""The rows of report.json as tables to be copied: Markdown, and LaTeX with booktabs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

# Characters that LaTeX takes for commands; the backslash comes first, since the others bring it.
LATEX_ESCAPES = {'\\': r'\textbackslash{}'} | {char: f'\\{char}' for char in '&%$#_{}'}


class Column(NamedTuple):
    """A column: its title, the key of its number in a row, and how the number is written."""

    title: str
    key: str
    factor: float = 1.0
    digits: int = 1


def report_columns(tasks: Sequence[str]) -> list[Column]:
    """The columns of the demo's report: fractions in percent, NLL in nats, cost."""
    return [
        *(Column(f'{task} top-1', f'acc/{task}/top1', 100.0) for task in tasks),
        *(Column(f'{task} ECE', f'calibration/{task}/ece', 100.0) for task in tasks),
        *(Column(f'{task} NLL', f'calibration/{task}/nll', 1.0, 2) for task in tasks),
        Column('M params', 'params', 1e-6, 2),
        Column('GFLOPs', 'flops', 1e-9, 2),
        Column('ms', 'latency_ms', 1.0, 0),
    ]


def markdown_lines(
    head: Sequence[str], rows: Iterable[Sequence[str]], rule: str = '---'
) -> list[str]:
    """The lines of a Markdown table.

    Args:
        head: Titles of the columns.
        rows: Cells of each row, as many.
        rule: Below every title but the first; `---:` aligns numbers.
    """
    lines = [head, ['---', *[rule] * (len(head) - 1)], *rows]
    return [f'| {" | ".join(cells)} |' for cells in lines]


def markdown_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> str:
    """A row per model; the student in bold, a dash where a model lacks a number."""
    head = ['', *(column.title for column in columns)]
    cells = []
    for row in rows:
        texts = [row['title'], *(_cell(row, column) for column in columns)]
        cells.append([f'**{x}**' for x in texts] if row['role'] == 'student' else texts)
    return '\n'.join(markdown_lines(head, cells, '---:')) + '\n'


def latex_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> str:
    """The same as a `tabular` environment; needs `\\usepackage{booktabs}`."""
    titles = [_escaped(column.title) for column in columns]
    lines = [
        f'\\begin{{tabular}}{{l{"r" * len(columns)}}}',
        '\\toprule',
        f'{" & ".join(["", *titles])} \\\\',
        '\\midrule',
    ]
    for row in rows:
        cells = [_escaped(row['title']), *(_cell(row, column, '--') for column in columns)]
        if row['role'] == 'student':
            cells = [f'\\textbf{{{cell}}}' for cell in cells]
        lines.append(f'{" & ".join(cells)} \\\\')
    return '\n'.join([*lines, '\\bottomrule', '\\end{tabular}']) + '\n'


def _cell(row: Mapping[str, Any], column: Column, missing: str = '–') -> str:
    if row.get(column.key) is None:
        return missing
    return f'{column.factor * row[column.key]:.{column.digits}f}'


def _escaped(text: str) -> str:
    return ''.join(LATEX_ESCAPES.get(char, char) for char in text)
