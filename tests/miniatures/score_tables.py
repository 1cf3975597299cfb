"""Scores of a model that is right as often as one likes."""

import numpy as np

from mmdistill.metrics import ScoreTable

CLASSES = {'verb': ['push', 'lift', 'touch'], 'noun': ['cup', 'pan', 'egg', 'fork']}


def make_table(
    skill: float,
    seed: int = 0,
    num_clips: int = 40,
    num_videos: int = 8,
    views: int = 1,
    prefix: str = 'P01',
) -> ScoreTable:
    """Logits that favour the label by `skill`; labels and ids do not depend on the seed."""
    fixed, generator = np.random.default_rng(7), np.random.default_rng(seed)
    labels = {task: fixed.integers(0, len(names), num_clips) for task, names in CLASSES.items()}
    scores = {}
    for task, names in CLASSES.items():
        noise = generator.normal(size=(num_clips, views, len(names)))
        scores[task] = (noise + skill * np.eye(len(names))[labels[task]][:, None]).astype('f4')
    ids = np.array([f'{prefix}_{i % num_videos}_{i}' for i in range(num_clips)])
    groups = np.array([f'{prefix}_{i % num_videos}' for i in range(num_clips)])
    flags = {'unseen': np.arange(num_clips) % 2 == 0}
    return ScoreTable(ids, groups, scores, labels, flags)
