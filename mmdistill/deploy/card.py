"""The model card: what a published model is, in Markdown."""

from typing import Any

from ..evaluation.escape import markdown
from ..evaluation.tables import markdown_lines
from .described import PublishedModel
from .views import frames_per_view

SHOWN_METRICS = (
    ('acc/{}/top1', 'top-1, %', 100.0),
    ('acc/{}/top5', 'top-5, %', 100.0),
    ('calibration/{}/ece', 'ECE, %', 100.0),
    ('calibration/{}/nll', 'NLL, nats', 1.0),
)


BEGINNING = 'An action recognizer that reads RGB frames, published by mmdistill.'


def model_card(model: PublishedModel, name: str) -> str:
    """What it does, what it needs, how good it is, how it was taught.

    Args:
        model: Its description.
        name: Of its file.
    """
    title = name.rpartition('.')[0] or name
    parts = [
        f'# {markdown(title)}',
        '',
        BEGINNING,
        '',
        '```python',
        'import mmdistill',
        '',
        f"model = mmdistill.load_model('{name}')",
        "print(model.predict('video.mp4')[0].top(5))",
        '```',
        '',
        *_section('Classes', _classes(model)),
        *_section('What it sees', _sees(model)),
        *_section('Quality', _quality(model)),
        *_section('How it was taught', _taught(model)),
        *_section('Licence', [markdown(model.licence)] if model.licence else []),
        *_section('Versions', [', '.join(f'{k} {v}' for k, v in model.versions.items())]),
        f'SHA-256 of the weights: `{model.weights_sha256}`',
    ]
    return '\n'.join(parts) + '\n'


def _section(title: str, lines: list[str]) -> list[str]:
    return [f'## {title}', '', *lines, ''] if lines else []


def _classes(model: PublishedModel) -> list[str]:
    lines = []
    for task, names in model.classes.items():
        shown = ', '.join(markdown(name) for name in names[:12])
        more = ', …' if len(names) > 12 else ''
        lines.append(f'- {task}: {len(names)} classes ({shown}{more})')
    return lines


def _sees(model: PublishedModel) -> list[str]:
    sample = model.clip['sample']
    stride = f' at stride {sample["frame_interval"]}' if 'frame_interval' in sample else ''
    clips = sample.get('num_clips', 1)
    steps = ', '.join(_step(step) for step in model.clip['geometry'])
    return [
        f'- {frames_per_view(model.clip)} frames of {sample.get("clip_len", 1)}{stride}, {clips} '
        f'temporal clips ({sample["type"]})',
        f'- {steps or "frames as they are"}',
        '- temperatures: ' + ', '.join(f'{t} {x:.3f}' for t, x in model.temperatures.items()),
    ]


def _step(step: dict[str, Any]) -> str:
    values = ', '.join(f'{key}={value}' for key, value in step.items() if key != 'type')
    return f'{step["type"]}({values})'


def _quality(model: PublishedModel) -> list[str]:
    metrics = model.metrics.get('metrics', {})
    tasks = [t for t in (*model.classes, 'action') if f'acc/{t}/top1' in metrics]
    rows = []
    for task in dict.fromkeys(tasks):
        cells = [
            f'{factor * metrics[key.format(task)]:.2f}' if key.format(task) in metrics else '–'
            for key, _, factor in SHOWN_METRICS
        ]
        rows.append([task, *cells])
    if not rows:
        return ['Not measured.']
    head = ['', *(title for _, title, _ in SHOWN_METRICS)]
    said = f'{model.metrics.get("num_samples", "?")} test clips.'
    return [*markdown_lines(head, rows, '---:'), '', said]


def _taught(model: PublishedModel) -> list[str]:
    if not model.taught:
        return ['On labels alone.']
    experts = ', '.join(f'{m} ({config})' for m, config in model.taught['experts'].items())
    lines = [f'- experts: {markdown(experts)}']
    weighting = model.taught['weighting']
    lines.append(f'- weighting: {markdown(str(weighting))}')
    for name, loss in model.taught['losses'].items():
        lines.append(f'- {markdown(name)}: {markdown(str(loss))}')
    return [*lines, f'- label_weight: {markdown(str(model.taught["label_weight"]))}']
