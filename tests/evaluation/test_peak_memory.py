"""Peak memory against sizes worked by hand."""

import torch
from torch import nn

from mmdistill.evaluation.peak_memory import peak_bytes

KB = 1024


class Chain(nn.Module):
    """Makes 8, 4 and 2 kB one after the other; the first is kept until the end if asked for."""

    def __init__(self, keep):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(KB // 4))
        self.register_buffer('again', self.weight.detach())
        self.keep = keep

    def forward(self):
        first = torch.zeros(2 * KB)
        second = first[:KB] + 1
        if not self.keep:
            del first
        third = second[: KB // 2] + self.weight[0]
        del second
        return third


def test_what_is_alive_at_once_counts():
    # 1 kB of weights, shared with a buffer; 8 and 4 kB are alive when the second is made.
    for keep, expected in ((False, 1 + 8 + 4), (True, 1 + 8 + 4 + 2)):
        model = Chain(keep)
        assert peak_bytes(model, model) == expected * KB


def test_views_and_work_in_place_are_nothing_new():
    model = Chain(keep=False)
    inputs = torch.zeros(KB)

    def call():
        inputs.view(4, -1).add_(1)
        model.weight.data.view(-1).add_(1)

    assert peak_bytes(call, model) == KB + 4 * KB
