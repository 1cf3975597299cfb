"""The numbers at the top of a report, from the roles of its models."""

from collections.abc import Mapping, Sequence
from typing import Any

# Of whom the report speaks: the first model of the first of these roles that there is.
LEADING = ('student', 'teacher', 'expert', 'baseline')

Row = Mapping[str, Any]


def leading_pair(rows: Sequence[Row]) -> tuple[Row, Row | None]:
    """The model that the report is about, and the baseline that it is compared with, if any."""
    firsts = {role: first_of(rows, role) for role in LEADING}
    lead = next(row for row in firsts.values() if row is not None)
    baseline = firsts['baseline']
    return lead, None if baseline is lead else baseline


def first_of(rows: Sequence[Row], role: str) -> Row | None:
    """The first row of a role."""
    return next((row for row in rows if row['role'] == role), None)


def headline_cards(report: Mapping[str, Any]) -> list[dict[str, str]]:
    """The numbers that a reader should leave with.

    Args:
        report: The content of report.json.
    """
    rows, task = report['rows'], report['headline_task']
    lead, baseline = leading_pair(rows)
    cards = [_accuracy(lead, baseline, report), _calibration(lead, baseline, task)]
    teacher = first_of(rows, 'teacher')
    if teacher is not None and teacher is not lead:
        cards.append(_teacher(teacher, lead, task))
    if report.get('detector'):
        ap50 = report['detector']['ap50']
        cards.append(_card(f'{100 * ap50:.1f}', '% AP50', 'of the detector on validation frames'))
    return cards


def _accuracy(lead: Row, baseline: Row | None, report: Mapping[str, Any]) -> dict[str, str]:
    task = report['headline_task']
    top1 = f'acc/{task}/top1'
    if baseline is None:
        return _card(f'{100 * lead[top1]:.1f}', '%', f'{task} top-1 of {lead["title"]}')
    found: Mapping[str, Any] = next(
        (row for row in report['differences'] if row['name'] == lead['name']), {}
    )
    text = f'{task} top-1, {lead["title"]} over {baseline["title"]} '
    text += f'({100 * baseline[top1]:.1f} → {100 * lead[top1]:.1f} %)'
    if top1 in found.get('intervals', {}):
        low, high = (_signed(100 * end) for end in found['intervals'][top1])
        text += f'; 95 % interval {low} to {high}'
    text += '; one training each, whose luck the interval does not contain'
    return _card(_signed(100 * (lead[top1] - baseline[top1])), 'points', text)


def _calibration(lead: Row, baseline: Row | None, task: str) -> dict[str, str]:
    ece = f'calibration/{task}/ece'
    text = f'of {lead["title"]}, {task}'
    if baseline is not None:
        text += f'; {baseline["title"]} {100 * baseline[ece]:.1f} %'
        nll = f'calibration/{task}/nll'
        text += f'; NLL {lead[nll]:.2f}, {baseline["title"]} {baseline[nll]:.2f}'
    if 'scaled' in lead:
        text += f'; after temperature scaling {100 * lead["scaled"]["metrics"][ece]:.1f} %'
    return _card(f'{100 * lead[ece]:.1f}', '% ECE', text)


def _teacher(teacher: Row, lead: Row, task: str) -> dict[str, str]:
    text = f'{task} top-1 of {teacher["title"]}'
    if lead.get('latency_ms') and teacher.get('latency_ms'):
        text += f' at {teacher["latency_ms"] / lead["latency_ms"]:.1f}× the latency'
    return _card(f'{100 * teacher[f"acc/{task}/top1"]:.1f}', '%', text)


def _signed(value: float) -> str:
    return f'{value:+.1f}'.replace('-', '−')


def _card(value: str, unit: str, text: str) -> dict[str, str]:
    return {'value': value, 'unit': unit, 'text': text}
