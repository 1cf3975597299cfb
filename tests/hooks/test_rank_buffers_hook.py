"""What of a process's buffers a checkpoint has to hold; test_exact_resume.py resumes with it."""

from types import SimpleNamespace

import torch
from torch import nn

from mmdistill.hooks import RankBuffersHook
from mmdistill.hooks.rank_buffers_hook import differing


def test_only_what_differs_between_processes_is_kept():
    same, mean = torch.arange(3.0), torch.zeros(3)
    by_rank = [dict(same=same.clone(), mean=mean + rank, nan=mean * torch.nan) for rank in range(3)]
    found = differing(by_rank)
    assert [sorted(buffers) for buffers in found] == [['mean', 'nan']] * 3
    assert [float(buffers['mean'][0]) for buffers in found] == [0, 1, 2]


def test_a_single_process_stores_nothing():
    hook, checkpoint = RankBuffersHook(), {}
    hook.gather(SimpleNamespace(model=nn.BatchNorm1d(2)))
    hook.before_save_checkpoint(None, checkpoint)
    assert checkpoint == {}
