"""The errors against torchmetrics, and against netcal where it is installed.

On random data, whose confidences are no edges of bins: on edges, and at confidence 1, the
libraries differ from each other. netcal asks for pyro and gpytorch, so it is no requirement:
`pip install --no-deps netcal` and run this file.
"""

import numpy as np
import pytest
import scipy.special
import torch

from mmdistill.metrics import adaptive_ece, expected_calibration_error

from .test_calibration_error import random_probs

NORMS = ('l1', 'l2', 'max')


@pytest.mark.parametrize('norm', NORMS)
@pytest.mark.parametrize('num_classes', [2, 7, 3806])
def test_equal_width_errors_match_torchmetrics(num_classes, norm):
    functional = pytest.importorskip('torchmetrics.functional.classification')
    probs, labels = random_probs(300, num_classes, seed=3)
    # It computes in the precision of what it is given.
    expected = functional.multiclass_calibration_error(
        torch.from_numpy(probs), torch.from_numpy(labels), num_classes, n_bins=15, norm=norm
    )
    assert expected_calibration_error(probs, labels, norm=norm) == pytest.approx(
        expected.item(), abs=1e-6
    )


@pytest.mark.parametrize('num_classes', [3, 7])
def test_errors_match_netcal(num_classes):
    # Of two classes it takes the second one's probability for the confidence.
    metrics = pytest.importorskip('netcal.metrics')
    probs, labels = random_probs(300, num_classes, seed=4)
    for norm, theirs in (('l1', metrics.ECE(15)), ('max', metrics.MCE(15))):
        ours = expected_calibration_error(probs, labels, norm=norm)
        assert ours == pytest.approx(float(theirs.measure(probs, labels)), abs=1e-9), norm
    theirs = metrics.ECE(15, equal_intervals=False).measure(probs, labels)
    assert adaptive_ece(probs, labels) == pytest.approx(float(theirs), abs=1e-9)


def test_scores_of_sharper_logits_match_too():
    functional = pytest.importorskip('torchmetrics.functional.classification')
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(500, 5)) * 6
    labels = generator.integers(0, 5, 500)
    probs = scipy.special.softmax(logits, axis=1)
    expected = functional.multiclass_calibration_error(
        torch.from_numpy(probs), torch.from_numpy(labels), 5, n_bins=10
    )
    assert expected_calibration_error(probs, labels, 10) == pytest.approx(expected.item(), abs=1e-6)
