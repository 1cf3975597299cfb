"""What the tests of deployment share: a small student, published, and a video."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from miniature_media import write_video
from mmengine.registry import init_default_scope

from mmdistill.config_tools import load_config
from mmdistill.deploy import load_model, publish_model, write_published
from mmdistill.registry import MODELS

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'projects/demo/configs/student.py'
TEMPERATURES = dict(verb=1.5, noun=0.7)
CLASSES = dict(verb=[f'verb {i}' for i in range(8)], noun=[f'noun {i}' for i in range(8)])
RATE = 25


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory) -> Path:
    """The demo's student as it begins, with the class names of its data."""
    init_default_scope('mmaction')
    torch.manual_seed(0)
    model = MODELS.build(load_config(CONFIG).model)
    path = tmp_path_factory.mktemp('student') / 'best.pth'
    meta = dict(dataset_meta=dict(classes=CLASSES), temperatures=TEMPERATURES)
    torch.save(dict(state_dict=model.state_dict(), meta=meta, optimizer={}), path)
    return path


@pytest.fixture(scope='session')
def published(checkpoint) -> Path:
    path = checkpoint.with_name('student.safetensors')
    metrics = dict(num_samples=8, metrics={'acc/action/top1': 0.25})
    write_published(path, *publish_model(CONFIG, checkpoint, metrics=metrics, licence='CC0'))
    return path


@pytest.fixture(scope='session')
def model(published):
    return load_model(published, 'cpu')


def pictures(count: int, height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    """Noise in blocks (F, H, W, 3), which an encoder keeps."""
    blocks = np.random.default_rng(seed).integers(
        0, 256, (count, height // 8, width // 8, 3), dtype=np.uint8
    )
    return blocks.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture(scope='session')
def video(tmp_path_factory) -> Path:
    """70 frames at 25 per second, with a tone."""
    path = tmp_path_factory.mktemp('videos') / 'kitchen.mp4'
    write_video(path, pictures(70), Fraction(RATE), tone=440.0)
    return path
