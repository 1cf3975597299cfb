"""What the figures were measured on."""

import os
import platform
from importlib.metadata import version

import psutil
import torch

from mmdistill.evaluation.measure import machine_name

PACKAGES = ('torch', 'mmengine', 'mmcv', 'mmaction2', 'decord', 'av', 'opencv-python', 'h5py')


def describe() -> str:
    """The machine and the versions, as a paragraph."""
    memory = psutil.virtual_memory().total / 2**30
    versions = ', '.join(f'{name} {version(name)}' for name in PACKAGES)
    return (
        f'Machine: {machine_name()} of {os.cpu_count()}, {memory:.0f} GB, {platform.system()} '
        f'{platform.release()}, Python {platform.python_version()}; {versions}. '
        f'GPU: {torch.cuda.get_device_name() if torch.cuda.is_available() else "none"}.'
    )


def load() -> str:
    """How busy the machine was before a part began."""
    return f'load average of the last minute before it {os.getloadavg()[0]:.1f}'
