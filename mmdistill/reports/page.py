"""Puts the demo's page together: headline numbers, diagrams, curves and sample clips."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..metrics import ScoreTable, reliability_by_task
from .figures import COLOURS, EXPERT_COLOURS, curves_plot, reliability_diagram
from .html import image_uri, svg_uri
from .predictions import best_classes, tasks_of
from .report_data import curve, smoothed
from .sample_clips import OUTCOMES, choose_clips, clip_strip, colour_wheel, outcomes

RELIABILITY_ROWS = ('rgb_baseline', 'teacher_uniform', 'teacher', 'student')
ANSWER_ROWS = ('rgb_baseline', 'student', 'teacher')
CLIPS = {'student': 3, 'both': 2, 'baseline': 1, 'neither': 1}


def headline_cards(report: dict[str, Any]) -> list[dict[str, str]]:
    """The numbers that a reader should leave with."""
    rows = {row['name']: row for row in report['rows']}
    baseline, student, teacher = rows['rgb_baseline'], rows['student'], rows['teacher']
    top1, ece = 'acc/action/top1', 'calibration/action/ece'
    gain = 100 * (student[top1] - baseline[top1])
    cards = [
        _card(
            f'{gain:+.1f}'.replace('-', '−'),
            'points',
            f'action top-1, student over RGB baseline '
            f'({100 * baseline[top1]:.1f} → {100 * student[top1]:.1f} %)',
        ),
        _card(
            f'{100 * student[ece]:.1f}',
            '% ECE',
            f'of the student’s actions, baseline {100 * baseline[ece]:.1f} %',
        ),
        _card(
            f'{100 * teacher[top1]:.1f}',
            '%',
            f'action top-1 of the weighted teacher at {_times(teacher, student)} the latency',
        ),
    ]
    if report['detector']:
        ap50 = report['detector']['ap50']
        cards.append(_card(f'{100 * ap50:.1f}', '% AP50', 'of the detector on validation frames'))
    return cards


def _card(value: str, unit: str, text: str) -> dict[str, str]:
    return {'value': value, 'unit': unit, 'text': text}


def _times(row: dict[str, Any], other: dict[str, Any]) -> str:
    return f'{row["latency_ms"] / other["latency_ms"]:.1f}×'


def reliability_pictures(
    rows: Sequence[dict[str, Any]], tables: dict[str, ScoreTable]
) -> dict[str, list[str]]:
    """Task to the diagrams of baseline, teachers and student."""
    shown = [row for row in rows if row['name'] in RELIABILITY_ROWS]
    bins = {row['name']: reliability_by_task(tables[row['name']], 'logits') for row in shown}
    return {
        task: [
            svg_uri(
                reliability_diagram(
                    bins[row['name']][task],
                    row['title'],
                    row[f'calibration/{task}/ece'],
                    COLOURS[row['name']],
                )
            )
            for row in shown
        ]
        for task in tasks_of(tables[shown[0]['name']])
    }


def curve_pictures(
    rows: Sequence[dict[str, Any]], trained_in: dict[str, Path]
) -> list[tuple[str, str]]:
    """Loss and accuracy along the training, of the rows that were trained.

    Args:
        rows: The rows of the report.
        trained_in: Row name to the work dir of its training.
    """
    titles = {row['name']: row['title'] for row in rows}
    plots = []
    panels = (
        ('Validation, action top-1', 'acc/action/top1', 'epoch', '%', 100.0, 1),
        # MMEngine averages what it logs of losses only: an accuracy is that of one small batch.
        ('Training clips, verb top-1 (mean of 10)', 'verb/top1_acc', 'iteration', '%', 100.0, 10),
        ('Training loss (the student has two terms)', 'loss', 'iteration', 'loss', 1.0, 1),
    )
    for title, key, label_x, label_y, scale, span in panels:
        found = {}
        for name, folder in trained_in.items():
            steps, values = curve(folder, key)
            found[name] = steps, smoothed(values, span)
        found = {name: points for name, points in found.items() if points[0]}
        # A single validation at the end is in the table; it makes no curve.
        if any(len(steps) > 1 for steps, _ in found.values()):
            svg = curves_plot(found, titles, label_x, label_y, scale)
            plots.append((title, svg_uri(svg)))
    return plots


def clip_pictures(
    dataset: Any, rows: Sequence[dict[str, Any]], tables: dict[str, ScoreTable]
) -> dict[str, Any]:
    """Sample clips with what baseline, student and teacher said about them.

    Args:
        dataset: Test data set whose records name RGB, flow and detection files.
        rows: The rows of the report.
        tables: Row name to scores, all in the same order of clips.
    """
    baseline, student = tables['rgb_baseline'], tables['student']
    task = tasks_of(student)[-1]
    by_outcome = outcomes(baseline, student, task)
    records = {}
    for index in range(len(dataset)):
        record = dataset.load_record(index)
        records[str(record['sample_id'])] = record
    classes = dataset.metainfo['classes']
    titles = {row['name']: row['title'] for row in rows}
    clips = []
    for outcome, clip in choose_clips(by_outcome, CLIPS):
        record = records[str(student.sample_ids[clip])]
        strip = clip_strip(record)
        clips.append(
            {
                'sample_id': record['sample_id'],
                'truth': _class_text(classes, {t: int(student.labels[t][clip]) for t in classes}),
                'outcome': OUTCOMES[outcome],
                'strips': [image_uri(part) for part in (strip.frames, strip.flow, strip.boxes)],
                'answers': [_answer(titles[n], tables[n], classes, clip) for n in ANSWER_ROWS],
            }
        )
    return {
        'clips': clips,
        'outcomes': [(OUTCOMES[name], len(index)) for name, index in by_outcome.items()],
        'wheel': image_uri(colour_wheel(128)),
    }


def _class_text(classes: dict[str, list[str]], labels: dict[str, int]) -> str:
    return ' · '.join(classes[task][labels[task]] for task in classes)


def _answer(
    title: str, table: ScoreTable, classes: dict[str, list[str]], clip: int
) -> dict[str, Any]:
    """The two best classes of each task, and whether they are right."""
    lines = [
        {
            'text': classes[task][best.index],
            'probability': best.probability,
            'right': best.index == int(table.labels[task][clip]),
        }
        for task in classes
        for best in best_classes(table, task, clip, 2)
    ]
    return {'title': title, 'lines': lines}


def page_pictures(
    report: dict[str, Any],
    tables: dict[str, ScoreTable],
    trained_in: dict[str, Path],
    dataset: Any,
) -> dict[str, Any]:
    """Everything that `render_html` wants beside the report itself."""
    rows = report['rows']
    return {
        'reliability': reliability_pictures(rows, tables),
        'curves': curve_pictures(rows, trained_in),
        'expert_colours': EXPERT_COLOURS,
        **clip_pictures(dataset, rows, tables),
    }
