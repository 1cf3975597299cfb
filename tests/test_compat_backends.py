"""Repairs of MMEngine's visualisation backends, on the real ones."""

from types import SimpleNamespace

import numpy as np
from mmengine.visualization import MLflowVisBackend

from mmdistill import compat_backends


def test_images_reach_mlflow_with_an_ending_and_their_step(tmp_path):
    compat_backends.name_images_for_mlflow()
    compat_backends.name_images_for_mlflow()  # twice is once
    received = []
    backend = MLflowVisBackend(str(tmp_path))
    # MLflow itself is not installed with the tests.
    backend._mlflow = SimpleNamespace(log_image=lambda image, name: received.append(name))
    backend._env_initialized = True
    backend.add_image('calibration_verb', np.zeros((2, 2, 3), np.uint8), 3)
    backend.add_image('photo.jpg', np.zeros((2, 2, 3), np.uint8), 3)
    assert received == ['calibration_verb_3.png', 'photo.jpg']
