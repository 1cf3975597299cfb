"""The tables of a report from the content of report.json, and all of them as one text."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..metrics import ViewScore
from . import escape
from .missing_table import missing_tables
from .scaling_table import scaling_columns, scaling_row
from .tables import Column, Table, cost_columns, latex_table, markdown_table, metric_columns
from .view_table import view_columns, view_rows

Report = Mapping[str, Any]
ECE_NOTE = (
    'ECE: expected calibration error, 15 bins. NLL: negative log-likelihood, nats. '
    'Intervals of the ECE lie high where there are few clips per bin.'
)


def report_tables(
    report: Report, views: Mapping[str, Sequence[ViewScore]] | None = None
) -> list[Table]:
    """Every table that the report has something for.

    Args:
        report: The content of report.json.
        views: Title of a model to its scores with fewer views.
    """
    tables = [
        _results(report),
        _differences(report),
        _splits(report),
        _scaling(report),
        _views(report, views or {}),
        *_missing(report),
        _costs(report),
    ]
    return [table for table in tables if table is not None]


def _results(report: Report) -> Table:
    rows, task = report['rows'], report['headline_task']
    columns = metric_columns(report['tasks'])
    after_top1 = len(report['tasks'])
    columns.insert(after_top1, Column(task, f'acc/{task}/top5', 100.0, group='top-5'))
    clips, videos = (rows[0][f'num_{x}'] for x in ('samples', 'groups'))
    note = f'{clips} clips of {videos} videos; accuracy and ECE in percent. {ECE_NOTE}'
    if rows[0]['intervals']:
        note = f'In brackets the 95 % interval of a bootstrap over videos. {note}'
    note += selection_note(rows)
    return Table('results', 'Results', rows, columns, note)


def selection_note(rows: Sequence[Mapping[str, Any]]) -> str:
    """How the checkpoints were chosen, and a warning where by the clips that are reported."""
    titles: dict[str, list[str]] = {}
    for row in distinct(rows):
        if row.get('selected'):
            titles.setdefault(row['selected'], []).append(row['title'])
    if not titles:
        return ''
    said = '; '.join(f'{how} ({", ".join(names)})' for how, names in titles.items())
    warning = ' These figures are better than those of new clips.' * ('on the tested clips' in said)
    return f' Checkpoints were chosen {said}.{warning}'


def _differences(report: Report) -> Table | None:
    rows = report['differences']
    if not rows:
        return None
    title = f'Difference to {report["baseline"]}'
    note = (
        'In points (NLL in nats), on the same clips, with the 95 % interval of a paired bootstrap '
        'over videos. An interval that holds 0 shows no difference.'
    )
    return Table('differences', title, rows, metric_columns(report['tasks'], '+'), note)


def _splits(report: Report) -> Table | None:
    rows, tasks = report['rows'], report['tasks']
    names = [name.split('/') for name in rows[0] if name.startswith('acc/')]
    found = sorted(x[1:3] for x in names if len(x) == 4 and x[3] == 'top1')
    order = [[split, task] for split in dict.fromkeys(x[0] for x in found) for task in tasks]
    columns = [
        Column(task, f'acc/{split}/{task}/top1', 100.0, group=split.replace('_', ' '))
        for split, task in order
        if [split, task] in found
    ]
    note = 'Top-1 in percent, on the clips of each split.'
    return Table('splits', 'Splits', rows, columns, note) if columns else None


def _scaling(report: Report) -> Table | None:
    rows = []
    for row in distinct(report['rows']):
        if 'scaled' not in row:
            continue
        for task in report['tasks']:
            result = {'before': {**row, 'metrics': row}, 'after': row['scaled']}
            named = {'title': f'{row["title"]}, {task}', 'role': row['role']}
            rows.append(scaling_row(result, row['temperatures'], task) | named)
    note = (
        'Temperatures T, fitted per task on the holdout alone; the joint action has none of its '
        'own. ECE in percent, NLL in nats, with 95 % intervals over videos.'
    )
    columns = scaling_columns()
    return Table('scaling', 'Before and after scaling', rows, columns, note) if rows else None


def _views(report: Report, views: Mapping[str, Sequence[ViewScore]]) -> Table | None:
    if not views:
        return None
    task = report['headline_task']
    rows = view_rows(views, task)
    note = f'{task}: top-1 and ECE in percent, by the number of views and what is averaged. '
    if any('*' in row['title'] for row in rows):
        note += '* The nearest of the tested clips: a test of so many would sample others.'
    return Table('views', 'Views', rows, view_columns(views), note, 'clips x crops')


def _missing(report: Report) -> list[Table]:
    task = report['headline_task']
    found = report['missing'].get('tasks', {}).get(task)
    if not found:
        return []
    seeds = max(len(x['top1']) for x in found['subsets'][0]['models'].values())
    note = f'{task} top-1 in percent'
    note += f', mean of {seeds} trainings' if seeds > 1 else ', one training of each model'
    first = next(iter(found['subsets'][0]['models']))
    note += f'; differences from {first}, in points, with 95 % intervals over videos.'
    lines = [f'{name}, which loses nothing: {100 * x:.1f} %.' for name, x in found['lines'].items()]
    tables = missing_tables(found['subsets'], found['drops'], task)
    return [table._replace(note=' '.join([note, *lines])) for table in tables]


def _costs(report: Report) -> Table | None:
    rows = [
        row | {f'throughput/{n}': x for n, x in row['cost']['throughput'].items()}
        for row in report['rows']
        if 'cost' in row
    ]
    if not rows:
        return None
    note = (
        'GFLOPs: 10⁹ floating-point operations of a view, a multiply-add is two. ms: median and '
        f'95th percentile of a clip at batch size 1, {report["machine"]}. Everything after '
        'decoding counts: the detector for boxes, the extraction for flow; clips/s are of the '
        'network alone. '
    )
    if any('flops_note' in row for row in rows):
        note += 'Flow runs outside PyTorch: its time counts, its operations cannot be. '
    unknown = sorted({m for row in rows for m in row['reads']} - {'rgb', 'flow', 'obj'})
    if unknown:
        note += f'What makes {", ".join(unknown)} is not counted.'
    sizes = list(rows[0]['cost']['throughput'])
    return Table('cost', 'Cost of an answer', rows, cost_columns(sizes), note.strip())


def distinct(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows without those that show the test of an earlier one under another name."""
    return [row for row in rows if 'same_as' not in row]


def tables_markdown(title: str, tables: Sequence[Table]) -> str:
    """All tables under their headings."""
    parts = [f'# {escape.markdown(title)}\n']
    for table in tables:
        text = markdown_table(table.rows, table.columns, table.corner)
        parts += [f'## {escape.markdown(table.title)}\n', text]
        parts += [f'{escape.markdown(table.note)}\n'] if table.note else []
    return '\n'.join(part for part in parts if part)


def tables_latex(tables: Sequence[Table]) -> str:
    """All tables as `tabular` environments, each after a comment with its heading."""
    parts = []
    for table in tables:
        note = f'% {escape.one_line(table.note)}\n' if table.note else ''
        text = latex_table(table.rows, table.columns, table.corner)
        parts.append(f'% {escape.one_line(table.title)}\n{note}{text}')
    return '\n'.join(parts)
