"""Squared distances of logits against NumPy."""

import numpy as np
import pytest
import torch

from mmdistill.losses import logit_mse
from mmdistill.registry import MODELS


def test_matches_numpy(logits):
    student, teacher = logits.double().numpy()
    expected = np.square(student - teacher).sum() / (5 * 7)
    assert logit_mse(*logits).item() == pytest.approx(expected, rel=1e-6)
    loss = MODELS.build(dict(type='mmdistill.LogitMSELoss', loss_weight=0.5))
    assert loss(*logits).item() == pytest.approx(expected / 2, rel=1e-6)


def test_half_precision_does_not_overflow():
    student, teacher = torch.full((2, 3), 600.0).half(), torch.zeros(2, 3).half()
    assert logit_mse(student, teacher).item() == 600.0**2


def test_other_classes_are_an_error(logits):
    with pytest.raises(ValueError, match=r'\(5, 7\).*\(5, 6\)'):
        logit_mse(logits[0], logits[1][:, :6])
