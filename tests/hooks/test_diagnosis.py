"""Warnings about teachers, on hand-made logits."""

import itertools

import pytest
import torch
from scipy.stats import entropy
from sklearn.metrics import accuracy_score

from mmdistill.hooks.diagnosis import (
    better_order_accuracy,
    expert_warnings,
    mean_normalised_entropy,
    student_warnings,
    temperature_warnings,
)


def logits_of(classes, num_classes):
    return 5 * torch.nn.functional.one_hot(classes, num_classes).double()


def test_the_best_order_of_classes_matches_trying_all():
    logits, labels = torch.randn(60, 4), torch.randint(0, 4, (60,))
    named = logits.argmax(-1)
    best = max(
        accuracy_score(labels, torch.tensor(order)[named])
        for order in itertools.permutations(range(4))
    )
    assert better_order_accuracy(logits, labels) == pytest.approx(best)


def test_entropy_matches_scipy():
    logits = 3 * torch.randn(9, 5, dtype=torch.float64)
    expected = entropy((logits / 2).softmax(-1).numpy(), axis=1, base=5).mean()
    assert mean_normalised_entropy(logits, 2.0) == pytest.approx(expected)


def test_a_good_expert_is_not_spoken_of():
    labels = torch.arange(40) % 4
    assert expert_warnings('flow', 'verb', logits_of(labels, 4), labels) == []


def test_an_expert_that_is_worse_than_the_commonest_class():
    labels = torch.tensor([0] * 30 + [1] * 6)
    named = torch.tensor([0, 1] * 18)
    (warning,) = expert_warnings('flow', 'verb', logits_of(named, 9), labels)
    assert "'flow' predicts the verb of 50.0%" in warning and 'right for 83.3%' in warning


def test_an_expert_whose_classes_are_in_another_order():
    labels = torch.arange(40) % 4
    warnings = expert_warnings('obj', 'noun', logits_of((labels + 1) % 4, 4), labels)
    assert any('100.0% instead of 0.0%' in w and 'class file' in w for w in warnings)
    # Of few clips per class some order is always good.
    few = expert_warnings('obj', 'noun', logits_of((labels[:8] + 1) % 4, 4), labels[:8])
    assert not any('class file' in w for w in few)


def test_a_temperature_that_flattens_everything():
    logits = logits_of(torch.arange(40) % 4, 4)
    assert temperature_warnings('verb', logits, dict(soft=2.0)) == []
    (warning,) = temperature_warnings('verb', logits, dict(soft=2.0, far=40.0))
    assert "temperature 40 of the loss 'far'" in warning and 'Lower' in warning


def test_a_teacher_that_is_behind_its_student():
    assert student_warnings('verb', 0.5, 0.5) == []
    (warning,) = student_warnings('verb', 0.6, 0.5)
    assert 'of 60.0%' in warning and 'holds it back' in warning
