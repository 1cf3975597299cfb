"""What the project's tests share with those of the package: a fixed seed, small score tables."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

import mmdistill  # noqa: F401  (repairs upstream first)

sys.path.insert(0, str(Path(__file__).parents[3] / 'tests/miniatures'))


@pytest.fixture(autouse=True)
def _fixed_seed():
    torch.manual_seed(0)
    np.random.seed(0)
    torch.set_num_threads(1)
    init_default_scope('mmaction')
