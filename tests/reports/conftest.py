"""Small score tables and the files that testing writes."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmdistill.metrics import ScoreTable, calibration_errors, save_scores, task_accuracies

CLASSES = {'verb': ['push', 'lift', 'touch'], 'noun': ['cup', 'pan', 'egg', 'fork']}


def make_table(skill: float, seed: int = 0, num_clips: int = 40, num_videos: int = 8) -> ScoreTable:
    """Logits that favour the label by `skill`; labels and ids do not depend on the seed."""
    fixed, generator = np.random.default_rng(7), np.random.default_rng(seed)
    labels = {task: fixed.integers(0, len(names), num_clips) for task, names in CLASSES.items()}
    scores = {}
    for task, names in CLASSES.items():
        noise = generator.normal(size=(num_clips, 1, len(names)))
        scores[task] = (noise + skill * np.eye(len(names))[labels[task]][:, None]).astype('f4')
    ids = np.array([f'P01_{i % num_videos}_{i}' for i in range(num_clips)])
    groups = np.array([f'P01_{i % num_videos}' for i in range(num_clips)])
    flags = {'unseen': np.arange(num_clips) % 2 == 0}
    return ScoreTable(ids, groups, scores, labels, flags)


def metrics_of(table: ScoreTable) -> dict[str, float]:
    """Metrics under the names of the design."""
    accuracy = {f'acc/{key}': value for key, value in task_accuracies(table, 'logits').items()}
    errors = calibration_errors(table, 'logits').items()
    return accuracy | {f'calibration/{key}': value for key, value in errors}


def write_test_files(folder: Path, table: ScoreTable) -> None:
    """What `tools/test.py --out folder/metrics.json --dump folder/scores.npz` writes."""
    folder.mkdir(parents=True)
    content = {
        'metrics': metrics_of(table),
        'num_samples': len(table.sample_ids),
        'config': 'config.py',
        'checkpoint_sha256': None,
        'versions': {'torch': '2'},
    }
    (folder / 'metrics.json').write_text(json.dumps(content))
    save_scores(folder / 'scores.npz', table)


def write_scalars(work_dir: Path, run: str, lines: list[dict]) -> None:
    """What MMEngine's LocalVisBackend writes."""
    folder = work_dir / run / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(''.join(json.dumps(line) + '\n' for line in lines))


@pytest.fixture
def tables():
    return {'weak': make_table(0.5, 1), 'strong': make_table(2.0, 2)}
