"""The device that a network of PyTorch runs on."""

import re

import torch


def usable_device(device: str) -> torch.device:
    """The device that a name asks for; 'auto' is CUDA where there is a GPU.

    Raises:
        ValueError: It is unknown, or there is no GPU.
    """
    if device == 'auto':
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
    if not re.fullmatch(r'cpu|(cuda|mps|xpu)(:\d+)?', device):
        raise ValueError(f'device={device!r}: expected auto, cpu, cuda, cuda:1, …')
    if device.startswith('cuda') and not torch.cuda.is_available():
        raise ValueError(f'device={device!r}: PyTorch sees no GPU here; use cpu.')
    return torch.device(device)
