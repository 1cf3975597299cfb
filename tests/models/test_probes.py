"""Agreement and the ratio of gradients, against closed forms."""

import pytest
import torch
import torch.nn.functional as F

from mmdistill.models.probes import agreement, gradient_ratio


def test_agreement_counts_equal_choices():
    student = torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 2.0], [0.0, 9.0]])
    teacher = torch.tensor([[2.0, 0.0], [5.0, 1.0], [0.1, 0.0], [0.0, 0.5]])
    assert agreement(student, teacher).item() == 0.75


def test_ratio_matches_the_closed_form_and_leaves_the_graph():
    weight = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    logits = torch.randn(5, 6, dtype=torch.float64) @ weight
    labels, target = torch.randint(0, 4, (5,)), torch.randn(5, 4, dtype=torch.float64).softmax(-1)
    by_label = F.cross_entropy(logits, labels)
    by_teacher = 3 * F.cross_entropy(logits, target)
    ratio = gradient_ratio([by_label], [by_teacher], [logits])
    p = logits.detach().softmax(-1)
    one_hot = F.one_hot(labels, 4)
    expected = 3 * (p - target).norm() / (p - one_hot).norm()
    assert ratio.item() == pytest.approx(expected.item(), rel=1e-6)
    assert weight.grad is None
    (by_label + by_teacher).backward()  # the graph is still there
    assert weight.grad.abs().sum() > 0


def test_no_ratio_without_one_of_the_sides():
    logits = torch.randn(3, 4, requires_grad=True)
    loss = F.cross_entropy(logits, torch.tensor([0, 1, 2]))
    assert gradient_ratio([], [loss], [logits]) is None
    assert gradient_ratio([loss], [torch.tensor(1.0)], [logits]) is None
