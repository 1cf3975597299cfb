"""The errors against torchmetrics and netcal.

On random data, whose confidences are no edges of bins: on edges, and at confidence 1, the
libraries differ from each other. netcal asks for pyro and gpytorch, which its metrics do not need;
`make setup` installs it alone.
"""

import netcal.metrics
import numpy as np
import pytest
import scipy.special
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from mmdistill.metrics import adaptive_ece, classwise_ece, expected_calibration_error

from .test_calibration_error import random_probs

NORMS = ('l1', 'l2', 'max')
SIZES = (2, 7, 3806)


@pytest.mark.parametrize('norm', NORMS)
@pytest.mark.parametrize('num_classes', SIZES)
def test_equal_width_errors_match_torchmetrics(num_classes, norm):
    probs, labels = random_probs(300, num_classes, seed=3)
    # It computes in the precision of what it is given.
    expected = multiclass_calibration_error(
        torch.from_numpy(probs), torch.from_numpy(labels), num_classes, n_bins=15, norm=norm
    )
    assert expected_calibration_error(probs, labels, norm=norm) == pytest.approx(
        expected.item(), abs=1e-6
    )


@pytest.mark.parametrize('num_bins', [10, 15])
@pytest.mark.parametrize('num_classes', SIZES)
def test_errors_match_netcal(num_classes, num_bins):
    # As sharp as a trained network: the confidences of many classes fill the bins as well.
    probs, labels = random_probs(300, num_classes, seed=4, sharpness=5.0)
    # Of two classes it takes the second one's probability for the confidence, so that is what it
    # is given: how sure the answer is, and whether it is right.
    answers = probs.max(axis=1), (probs.argmax(axis=1) == labels).astype(int)
    for norm, theirs in (('l1', netcal.metrics.ECE), ('max', netcal.metrics.MCE)):
        ours = expected_calibration_error(probs, labels, num_bins, norm)
        assert ours == pytest.approx(theirs(num_bins).measure(*answers), abs=1e-9), norm
    theirs = netcal.metrics.ECE(num_bins, equal_intervals=False).measure(*answers)
    assert adaptive_ece(probs, labels, num_bins) == pytest.approx(theirs, abs=1e-9)


def test_errors_of_all_classes_at_once_match_netcal():
    probs, labels = random_probs(300, 7, seed=4)
    for norm, theirs in (('l1', netcal.metrics.ECE(15)), ('max', netcal.metrics.MCE(15))):
        ours = expected_calibration_error(probs, labels, norm=norm)
        assert ours == pytest.approx(theirs.measure(probs, labels), abs=1e-9), norm


@pytest.mark.parametrize('num_classes', [2, 7])
def test_classwise_errors_match_netcal(num_classes):
    probs, labels = random_probs(300, num_classes, seed=5)
    ece = netcal.metrics.ECE(15)
    expected = [ece.measure(p, (labels == k).astype(int)) for k, p in enumerate(probs.T)]
    assert classwise_ece(probs, labels) == pytest.approx(np.mean(expected), abs=1e-9)


def test_scores_of_sharper_logits_match_too():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(500, 5)) * 6
    labels = generator.integers(0, 5, 500)
    probs = scipy.special.softmax(logits, axis=1)
    expected = multiclass_calibration_error(
        torch.from_numpy(probs), torch.from_numpy(labels), 5, n_bins=10
    )
    assert expected_calibration_error(probs, labels, 10) == pytest.approx(expected.item(), abs=1e-6)
