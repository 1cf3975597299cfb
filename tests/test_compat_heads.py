"""Repairs of MMAction2's heads, on the real ones."""

import torch

from mmdistill import compat


def test_a_second_test_of_tpn_judges_the_weights_of_now():
    from mmaction.models import TPNHead

    compat.renew_fcn_classifier()
    compat.renew_fcn_classifier()  # twice is once
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
