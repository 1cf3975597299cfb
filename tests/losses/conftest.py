"""Logits and features whose losses are worked out a second time in NumPy."""

import pytest
import torch


@pytest.fixture
def logits():
    """The student's and the teacher's logits of five clips and seven classes."""
    return 3 * torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def features():
    """A student's and an expert's feature of four clips, on different grids."""
    generator = torch.Generator().manual_seed(4)
    student = torch.randn(4, 3, 2, 4, 6, generator=generator)
    return student, torch.randn(4, 5, 4, 2, 6, generator=generator)
