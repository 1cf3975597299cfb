"""Repairs of MMAction2's heads, on the real ones."""

import torch
from mmaction.structures import ActionDataSample

from mmdistill import compat_heads
from mmdistill.labels import set_task_labels


def test_a_second_test_of_tpn_judges_the_weights_of_now():
    from mmaction.models import TPNHead

    compat_heads.renew_fcn_classifier()
    compat_heads.renew_fcn_classifier()  # twice is once
    head = TPNHead(num_classes=3, in_channels=4, dropout_ratio=0.0).eval()
    features = torch.randn(2, 4, 1, 2, 2)
    before = list(head.state_dict())
    with torch.no_grad():
        for scale in (1.0, 2.0):
            head.fc_cls.weight.fill_(scale)
            head.fc_cls.bias.fill_(0.0)
            expected = scale * features.mean((2, 3, 4)).sum(1, keepdim=True).expand(-1, 3)
            assert torch.allclose(head(features, fcn_test=True), expected, atol=1e-6)
    assert list(head.state_dict()) == before


def test_heads_measure_their_accuracy_in_bfloat16():
    from mmaction.models import I3DHead

    compat_heads.train_in_bfloat16()
    head = I3DHead(num_classes=3, in_channels=4)
    samples = [ActionDataSample(), ActionDataSample()]
    for label, sample in enumerate(samples):
        set_task_labels(sample, label)
    scores = torch.eye(3)[:2].requires_grad_()
    half, single = (head.loss_by_feat(scores.to(t), samples) for t in (torch.bfloat16, torch.float))
    assert half['top1_acc'] == single['top1_acc'] == 1
    assert torch.equal(half['loss_cls'], single['loss_cls'])
    half['loss_cls'].backward()
    assert scores.grad.abs().sum() > 0
