"""What testing and training wrote: metrics, logged scalars, the weights of a teacher."""

import json
from pathlib import Path
from typing import Any

from ..files import read_json


def read_metrics(path: Path) -> dict[str, Any]:
    """What `mmdistill test --out` wrote.

    Raises:
        FileNotFoundError, ValueError: There is no such file, or it has another content.
    """
    if not path.exists():
        raise FileNotFoundError(f'No metrics in {path}; write them with mmdistill test --out.')
    content = read_json(path, dict, 'write it again with mmdistill test --out')
    missing = [key for key in ('metrics', 'num_samples') if key not in content]
    if missing:
        raise ValueError(
            f'{path} lacks {missing}, it has {sorted(content)}; '
            'write it again with mmdistill test --out.'
        )
    return content


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
        for number, line in enumerate(path.read_text(errors='replace').splitlines(), start=1):
            try:
                found = json.loads(line) if line.strip() else {}
            # A line that a killed run did not finish is the last one of its file.
            except (ValueError, RecursionError):
                found = None
            if not isinstance(found, dict):
                print(f'warning: {path}, line {number} is not JSON and is left out.')
            else:
                lines.append(found)
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


def stage_costs(stamps: Path) -> list[dict[str, Any]]:
    """Name, seconds and peak bytes of finished stages, in the order they ended.

    Args:
        stamps: Folder that a chain of stages wrote.
    """
    found = [
        read_json(path, dict, 'remove it and run the stage again') | {'name': path.stem}
        for path in stamps.glob('*.json')
        if not path.name.endswith('.started.json')
    ]
    keys = ('name', 'seconds', 'peak_bytes')
    return [{key: s[key] for key in keys} for s in sorted(found, key=lambda s: s['finished'])]
