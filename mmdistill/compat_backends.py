"""Repairs of MMEngine's visualisation backends, beside those of `compat.py` and in their manner.

Called by `mmdistill.hooks`, since they import `mmengine.visualization`.
"""

import functools
from typing import Any

import numpy as np


def name_images_for_mlflow() -> None:
    """Give the images that go to MLflow an ending, and their step.

    Upstream: https://github.com/open-mmlab/mmengine/issues/1681 (MLflow takes the type of a file
    from its name, of which the other backends expect no ending; each step replaced the one before).
    May go when MMEngine > 0.10.7 names them so.
    """
    from mmengine.visualization import MLflowVisBackend

    original = MLflowVisBackend.add_image
    if getattr(original, 'names_images', False):
        return

    @functools.wraps(original)
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: Any) -> None:
        name = name if '.' in name else f'{name}_{step}.png'
        original(self, name, image, step, **kwargs)

    add_image.names_images = True
    MLflowVisBackend.add_image = add_image
