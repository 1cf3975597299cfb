"""A results page as Markdown: a table per part, and the teachers' weights."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmdistill.evaluation.escape import markdown
from mmdistill.evaluation.tables import markdown_lines, written

from .measured_rows import RowResult


class ResultColumn(NamedTuple):
    """A metric of the tables: its title, key, and whether its change has a column too."""

    title: str
    metric: str
    change: bool = False


COLUMNS = (
    ResultColumn('verb', 'acc/verb/top1'),
    ResultColumn('noun', 'acc/noun/top1'),
    ResultColumn('action', 'acc/action/top1', change=True),
    ResultColumn('tail verb', 'acc/tail/verb/top1'),
    ResultColumn('action ECE', 'calibration/action/ece', change=True),
    ResultColumn('action NLL', 'calibration/action/nll', change=True),
)


def results_markdown(results: Sequence[RowResult]) -> str:
    """The tables of all parts, in the order in which the parts first occur."""
    parts: dict[str, list[RowResult]] = {}
    for result in results:
        parts.setdefault(result.row.part, []).append(result)
    return '\n'.join(part_markdown(part, rows) for part, rows in parts.items())


def part_markdown(part: str, rows: Sequence[RowResult]) -> str:
    """One part: mean ± standard deviation over seeds, and changes with their intervals."""
    columns = [c for c in COLUMNS if any(c.metric in m for r in rows for m in r.metrics.values())]
    head = ['', 'seeds']
    for column in columns:
        head += [column.title, 'change'] if column.change else [column.title]
    cells = []
    for result in rows:
        line = [markdown(result.row.title), str(len(result.metrics))]
        for column in columns:
            line.append(_spread(result, column))
            line += [_change(result, column)] if column.change else []
        cells.append(line)
    return '\n'.join([f'## {markdown(part)}', '', *markdown_lines(head, cells, '---:'), ''])


def weights_markdown(results: Sequence[RowResult]) -> str:
    """What each teacher listens to, in percent, mean over seeds."""
    weighed = [result for result in results if result.weights]
    if not weighed:
        return ''
    tasks = list(weighed[0].weights)
    lines = []
    for result in weighed:
        shares = [result.weights[task].items() for task in tasks]
        texts = [
            ', '.join(f'{markdown(name)} {100 * w:.0f}' for name, w in share) for share in shares
        ]
        lines.append([markdown(result.row.title), *texts])
    head = ['', *(f'weights for {markdown(task)}, %' for task in tasks)]
    return '\n'.join(['## Weights of the teachers', '', *markdown_lines(head, lines), ''])


def _spread(result: RowResult, column: ResultColumn) -> str:
    values = [m[column.metric] for m in result.metrics.values() if column.metric in m]
    if not values:
        return '–'
    text = written(column.metric, float(np.mean(values)))
    return (
        f'{text} ± {written(column.metric, float(np.std(values, ddof=1)))}' if values[1:] else text
    )


def _change(result: RowResult, column: ResultColumn) -> str:
    change = result.changes.get(column.metric)
    if change is None:
        return '–'
    low, high = (written(column.metric, bound, '+') for bound in change['interval'])
    return f'{written(column.metric, change["difference"], "+")} [{low}, {high}]'
