"""Rows of numbers as tables to be copied: Markdown, and LaTeX with booktabs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from . import escape

MISSING = '–'


# How people read a metric, by the end of its name: the factor, the digits and the unit.
UNITS = {'nll': (1.0, 2, 'nats'), 'brier': (1.0, 3, '')}
FRACTION_UNIT = (100.0, 1, '%')


class Column(NamedTuple):
    """A column: its title, the key of its number in a row, and how the number is written.

    The title is completed by that of a group of columns, such as `top-1`. With a sign, numbers
    are differences.
    """

    title: str
    key: str
    factor: float = 1.0
    digits: int = 1
    group: str = ''
    sign: str = ''

    @property
    def heading(self) -> str:
        """The whole title."""
        return f'{self.title} {self.group}'.strip()


class Cell(NamedTuple):
    """A number as text, and its interval, which may be missing."""

    value: str
    interval: str = ''

    def __str__(self) -> str:
        return f'{self.value} {self.interval}'.strip()


class Table(NamedTuple):
    """A table of the report.

    Args:
        key: Where the page shows it.
        title: Its heading.
        rows: With `title`, `role`, the numbers, and `intervals` (key to low and high).
        columns: What is shown of them.
        note: What to know, a sentence or two.
        corner: Title of the first column.
    """

    key: str
    title: str
    rows: Sequence[Mapping[str, Any]]
    columns: Sequence[Column]
    note: str = ''
    corner: str = ''

    def cells(self, row: Mapping[str, Any]) -> list[Cell]:
        """The cells of a row, without its title."""
        return [cell(row, column) for column in self.columns]

    def groups(self) -> list[tuple[str, int]]:
        """The titles of groups of columns that stand side by side, and their sizes."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and found[-1][0] == column.group:
                found[-1] = column.group, found[-1][1] + 1
            else:
                found.append((column.group, 1))
        return found


def metric_columns(tasks: Sequence[str], sign: str = '') -> list[Column]:
    """Accuracy and calibration of every task: fractions in percent, NLL in nats, Brier score."""

    def of(group: str, key: str, factor: float = 100.0, digits: int = 1) -> list[Column]:
        return [Column(t, key.format(t), factor, digits, group, sign) for t in tasks]

    return [
        *of('top-1', 'acc/{}/top1'),
        *of('ECE', 'calibration/{}/ece'),
        *of('NLL', 'calibration/{}/nll', *UNITS['nll'][:2]),
        *of('Brier', 'calibration/{}/brier', *UNITS['brier'][:2]),
    ]


def cost_columns(batch_sizes: Sequence[int] = ()) -> list[Column]:
    """What an answer costs: operations per view, all else per clip."""
    return [
        Column('M params', 'params', 1e-6, 2),
        Column('GFLOPs', 'flops', 1e-9, 2),
        Column('ms', 'latency_ms'),
        Column('ms, p95', 'p95_ms'),
        Column('MB at peak', 'peak_bytes', 1e-6, 0),
        *(Column(f'clips/s, batch {n}', f'throughput/{n}') for n in batch_sizes),
    ]


def markdown_lines(
    head: Sequence[str], rows: Iterable[Sequence[str]], rule: str = '---'
) -> list[str]:
    """The lines of a Markdown table.

    Args:
        head: Titles of the columns; names in them, and in cells, are escaped (`escape.markdown`).
        rows: Cells of each row, as many.
        rule: Below every title but the first; `---:` aligns numbers.
    """
    lines = [head, ['---', *[rule] * (len(head) - 1)], *rows]
    return [f'| {" | ".join(cells)} |' for cells in lines]


def markdown_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], corner: str = ''
) -> str:
    """A row per model; students in bold, a dash where a model lacks a number."""
    head = [escape.markdown(text) for text in (corner, *(column.heading for column in columns))]
    cells = []
    for row in rows:
        texts = [escape.markdown(row['title']), *(str(cell(row, column)) for column in columns)]
        student = row.get('role') == 'student'
        cells.append([f'**{text}**' if student and text else text for text in texts])
    return '\n'.join(markdown_lines(head, cells, '---:')) + '\n'


def latex_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], corner: str = ''
) -> str:
    """The same as a `tabular` environment; needs `\\usepackage{booktabs}`."""
    titles = [escape.latex(text) for text in (corner, *(column.heading for column in columns))]
    lines = [
        f'\\begin{{tabular}}{{l{"r" * len(columns)}}}',
        '\\toprule',
        f'{" & ".join(titles)} \\\\',
        '\\midrule',
    ]
    for row in rows:
        cells = [escape.latex(row['title']), *(_latex_cell(row, column) for column in columns)]
        if row.get('role') == 'student':
            cells = [f'\\textbf{{{cell}}}' for cell in cells]
        lines.append(f'{" & ".join(cells)} \\\\')
    return '\n'.join([*lines, '\\bottomrule', '\\end{tabular}']) + '\n'


def unit_of(metric: str) -> str:
    """The unit in which people read a metric: '%', 'nats' or ''."""
    return UNITS.get(metric.rpartition('/')[2], FRACTION_UNIT)[2]


def written(metric: str, value: float, sign: str = '') -> str:
    """A value of a metric as people read it, with a true minus sign."""
    factor, digits, _ = UNITS.get(metric.rpartition('/')[2], FRACTION_UNIT)
    return f'{factor * value:{sign}.{digits}f}'.replace('-', '−')


def cell(row: Mapping[str, Any], column: Column) -> Cell:
    """The number of a row in a column, with its interval; a dash where there is none."""
    if row.get(column.key) is None:
        return Cell(MISSING)
    ends = row.get('intervals', {}).get(column.key)
    interval = f'[{", ".join(_written(end, column) for end in ends)}]' if ends else ''
    return Cell(_written(row[column.key], column), interval)


def _written(value: float, column: Column) -> str:
    text = f'{column.factor * value:{column.sign}.{column.digits}f}'
    return text.replace('-', '−')


def _latex_cell(row: Mapping[str, Any], column: Column) -> str:
    value, interval = (escape.latex_number(text) for text in cell(row, column))
    return f'{value} {{\\scriptsize {interval}}}' if interval else value
