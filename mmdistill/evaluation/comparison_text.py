"""A comparison of models as Markdown, in percent and points."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .escape import markdown
from .tables import markdown_lines, unit_of, written

ClassNames = Mapping[str, Sequence[str]]  # task -> names
MINUS = '−'


def comparison_markdown(
    result: Mapping[str, Any], class_names: ClassNames | None = None, num_classes: int = 5
) -> str:
    """What `compare_groups` returned, for people.

    Args:
        result: The comparison.
        class_names: Task to the names of its classes; numbers stand for those that have none.
        num_classes: How many of the classes with the largest gains and losses are listed.
    """
    names = class_names or {}
    lines = [
        '# Comparison',
        '',
        f'{result["num_clips"]} clips of {result["num_groups"]} videos. Values are means over the '
        'trainings (± standard deviation); intervals are a paired bootstrap over videos '
        f'({100 * result["level"]:.0f} %).',
        '',
    ]
    for name, paths in result['models'].items():
        lines.append(f'- {markdown(name)}: {", ".join(map(markdown, paths))}')
    for found in result['comparisons']:
        found = found | {side: markdown(found[side]) for side in ('model', 'baseline')}
        lines += ['', f'## {found["model"]} against {found["baseline"]}', '']
        lines += difference_table(found)
        for task, values in found['tasks'].items():
            lines += [
                '',
                f'### {markdown(task)}',
                '',
                *_agreement(values, found),
                *_mcnemar(values, found),
            ]
            if 'classes' in values:
                lines += class_table(values['classes'], names.get(task, ()), num_classes)
                lines += confusion_table(values['confusions'], names.get(task, ()))
                lines += expert_table(values['experts'], found)
    return '\n'.join(lines) + '\n'


def difference_table(found: Mapping[str, Any]) -> list[str]:
    """Accuracy, ECE, NLL and Brier score of both models, all tasks and splits."""
    rows = [row for values in found['tasks'].values() for row in values['differences']]
    cells = [
        [
            markdown(_with_unit(row['metric'])),
            str(row['num_clips']),
            _mean_std(row['metric'], row['baseline']),
            _mean_std(row['metric'], row['model']),
            written(row['metric'], row['difference'], '+'),
            _interval(row['metric'], row['interval']),
        ]
        for row in rows
    ]
    head = ['', 'clips', found['baseline'], found['model'], 'difference', 'interval']
    return markdown_lines(head, cells)


def class_table(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], how_many: int
) -> list[str]:
    """The classes with the largest gains, then those with the largest losses, in clips."""
    gains = [row for row in rows if row['model'] > row['baseline']][:how_many]
    losses = [row for row in rows if row['model'] < row['baseline']][-how_many:]
    if not gains and not losses:
        return []
    cells = [
        [
            _class_name(row['class'], names),
            str(row['num_clips']),
            _percent(row['baseline']),
            _percent(row['model']),
            _points(row['model'] - row['baseline']),
        ]
        for row in [*gains, *losses]
    ]
    title = ['Classes with the largest gains and losses, in clips:', '']
    return [*title, *markdown_lines(['class', 'clips', 'baseline', 'model', 'points'], cells), '']


def confusion_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    """The wrong answers whose number changed most."""
    if not rows:
        return []
    cells = [
        [
            _class_name(row['class'], names),
            _class_name(row['named'], names),
            f'{row["baseline"]:.1f}',
            f'{row["model"]:.1f}',
            f'{row["model"] - row["baseline"]:+.1f}'.replace('-', MINUS),
        ]
        for row in rows
    ]
    title = ['Confusions that changed most, in clips:', '']
    return [*title, *markdown_lines(['class', 'named', 'baseline', 'model', 'change'], cells), '']


def expert_table(experts: Mapping[str, Mapping[str, Any]], found: Mapping[str, Any]) -> list[str]:
    """Which expert knew the clips that were gained."""
    if not experts:
        return []
    cells = [
        [
            markdown(name),
            _optional(values['known_of_gained'], _percent),
            _optional(values['known_of_wrong'], _percent),
            _optional(values['correlation'], lambda x: f'{x:+.2f}'.replace('-', MINUS)),
        ]
        for name, values in experts.items()
    ]
    head = [
        'expert',
        f'right where {found["model"]} gained, %',
        f'right where {found["baseline"]} was wrong, %',
        'gain by class ~ its advantage',
    ]
    return ['Where it learned from which expert:', '', *markdown_lines(head, cells), '']


def _agreement(values: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    same = values['agreement']
    text = f'Both name {_percent(same["between"])} % of the clips alike'
    for key, name in (('baseline_seeds', found['baseline']), ('model_seeds', found['model'])):
        if same[key] is not None:
            text += f'; two trainings of {name}, {_percent(same[key])} %'
    return [f'{text}.', '']


def _mcnemar(values: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    tests = [
        f'{test["only_baseline"]} / {test["only_model"]}, p = {test["p_value"]:.2g}'
        for test in values['mcnemar']
    ]
    return [
        f'Clips that only {found["baseline"]} / only {found["model"]} has right, and '
        f"McNemar's test: {'; '.join(tests)}.",
        '',
    ]


def _class_name(index: int, names: Sequence[str]) -> str:
    return markdown(names[index]) if index < len(names) else str(index)


def _with_unit(metric: str) -> str:
    return ', '.join(part for part in (metric, unit_of(metric)) if part)


def _mean_std(metric: str, values: Sequence[float]) -> str:
    mean = written(metric, float(np.mean(values)))
    return f'{mean} ± {written(metric, float(np.std(values, ddof=1)))}' if values[1:] else mean


def _interval(metric: str, bounds: Sequence[float] | None) -> str:
    return _optional(bounds, lambda x: f'[{", ".join(written(metric, end, "+") for end in x)}]')


def _optional(value: Any, text: Any) -> str:
    return '' if value is None else text(value)


def _percent(fraction: float) -> str:
    return f'{100 * fraction:.1f}'


def _points(difference: float) -> str:
    return f'{100 * difference:+.1f}'.replace('-', MINUS)
