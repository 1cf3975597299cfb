"""The rows of report.json from what testing wrote and what was measured."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cost import Cost

ROLES = ('baseline', 'expert', 'teacher', 'student')


@dataclass(frozen=True)
class RowSource:
    """Where a row of the report comes from.

    Args:
        name: Identifier of the row.
        title: What people call it.
        role: One of `ROLES`.
        metrics: The file `tools/test.py --out` wrote.
        scores: The file `tools/test.py --dump` wrote.
        config: Config of the tested model.
        reads: Modalities that the model needs at test.
    """

    name: str
    title: str
    role: str
    metrics: Path
    scores: Path
    config: Path
    reads: tuple[str, ...] = ('rgb',)

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"Row '{self.name}': role is one of {ROLES}, got '{self.role}'.")


def read_metrics(path: Path) -> dict[str, Any]:
    """What `tools/test.py --out` wrote.

    Raises:
        FileNotFoundError, ValueError: There is no such file, or it has another content.
    """
    if not path.exists():
        raise FileNotFoundError(f'No metrics in {path}; write them with tools/test.py --out.')
    content = json.loads(path.read_text())
    missing = [key for key in ('metrics', 'num_samples') if key not in content]
    if missing:
        raise ValueError(
            f'{path} lacks {missing}, it has {sorted(content)}; '
            'write it again with tools/test.py --out.'
        )
    return content


def build_row(source: RowSource, cost: Cost, num_views: int = 1) -> dict[str, Any]:
    """One row: identity, cost (operations per view, latency per clip), metrics as fractions."""
    tested = read_metrics(source.metrics)
    row = {
        'name': source.name,
        'title': source.title,
        'role': source.role,
        'num_samples': tested['num_samples'],
        'params': cost.params,
        'flops': cost.flops // num_views,
        'latency_ms': round(cost.latency_ms, 2),
        'reads': list(source.reads),
    }
    if 'flow' in source.reads:
        row['flops_note'] = 'without the extraction of flow, which is outside PyTorch'
    wanted = ('acc/', 'calibration/')
    return row | {k: v for k, v in tested['metrics'].items() if k.startswith(wanted)}


def best_detection(work_dir: Path) -> dict[str, float]:
    """AP of the detector on the validation frames, at the epoch of its best checkpoint.

    Args:
        work_dir: Folder of the detector's training.

    Returns:
        `ap50` and `ap` in [0, 1], `epoch`; empty if the training was never validated.
    """
    lines = [line for line in read_scalars(work_dir) if 'coco/bbox_mAP_50' in line]
    if not lines:
        return {}
    # As the checkpoint hook: the first of equals stays the best.
    best = max(lines, key=lambda line: (line['coco/bbox_mAP_50'], -line['step']))
    return {
        'ap50': best['coco/bbox_mAP_50'],
        'ap': best['coco/bbox_mAP'],
        'epoch': int(best['step']),
    }


def read_scalars(work_dir: Path) -> list[dict[str, float]]:
    """Every line of scalars a training logged, resumed runs included, in order of time."""
    lines = []
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        lines += [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return lines


def curve(work_dir: Path, key: str) -> tuple[list[float], list[float]]:
    """Steps and values of a logged number; a step repeated after a resume counts once."""
    points = {line['step']: line[key] for line in read_scalars(work_dir) if key in line}
    steps = sorted(points)
    return steps, [points[step] for step in steps]


def smoothed(values: list[float], span: int) -> list[float]:
    """The mean of each value and the up to `span - 1` before it."""
    return [
        sum(window) / len(window)
        for window in (values[max(0, end - span) : end] for end in range(1, len(values) + 1))
    ]


def teacher_weights(work_dir: Path) -> dict[str, dict[str, float]]:
    """Task to expert to weight, as the last test or training in `work_dir` found on the holdout."""
    weights: dict[str, dict[str, float]] = {}
    for line in read_scalars(work_dir):
        for key, value in line.items():
            # holdout/<expert>/weight/<task>
            parts = key.split('/')
            if parts[0] == 'holdout' and parts[2:3] == ['weight']:
                weights.setdefault(parts[3], {})[parts[1]] = value
    return weights
