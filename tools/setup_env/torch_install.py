"""The torch of the environment: kept where it is in range, the pinned one otherwise."""

import json
import os
import platform
import re
import shutil
import sys
import urllib.request
from pathlib import Path
from typing import NamedTuple

from steps import NEEDS, SetupError, last_line, pip, run_logged, run_probe, say

TORCH_CPU_INDEX = 'https://download.pytorch.org/whl/cpu'
TORCH_PROBE = """
import json, torch
gpus = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
print(json.dumps(dict(
    version=torch.__version__,
    accelerator=torch.version.cuda or getattr(torch.version, 'hip', None) or '',
    gpus=sorted({'sm%d%d' % torch.cuda.get_device_capability(i) for i in gpus}))))
"""


class Torch(NamedTuple):
    """The installed torch, and the GPUs that it sees."""

    version: str
    accelerator: str  # CUDA (or HIP) version it was built for; empty for a CPU build
    gpus: list[str]  # compute capabilities, such as sm86

    @property
    def release(self) -> tuple[int, int]:
        return tuple(int(part) for part in self.version.split('.')[:2])

    @property
    def wants_cuda(self) -> bool:
        """Whether mmcv's own setup.py will compile CUDA operators beside this torch."""
        return bool(self.gpus) or os.environ.get('FORCE_CUDA') == '1'

    @property
    def key(self) -> str:
        """What a compiled extension depends on, as the name of a folder."""
        target = 'cpu'
        if self.wants_cuda:
            listed = os.environ.get('TORCH_CUDA_ARCH_LIST') or '_'.join(self.gpus) or 'all'
            target = re.sub(r'[^\w.+-]+', '_', f'cu{self.accelerator}-{listed}')
        python = f'cp{sys.version_info[0]}{sys.version_info[1]}'
        return f'torch{self.version.split("+")[0]}-{python}-{target}-{platform.machine()}'


def provide_torch(python: Path, log: Path) -> Torch:
    """Install the pinned torch, unless the environment has one in range, and the build tools."""
    torch = probe_torch(python)
    if torch is None:
        index = torch_index()
        source = ['--index-url', index] if index else []
        pin = f'torch=={NEEDS["PINS"]["torch"]}'
        label = f'Installing {pin}' + (f' from {index}' if index else '')
        run_logged(pip(python, 'install', *source, pin), log, label)
        torch = probe_torch(python)
    elif torch.release < (2, 6):
        raise SetupError(
            f'torch {torch.version} is too old, 2.6 is the least: pip install -U torch'
        )
    else:
        say(f'torch {torch.version} is kept.')
    # After torch, whose own requirement may bring a setuptools that is too new for mmcv.
    run_logged(pip(python, 'install', *NEEDS['BUILD']), log, 'Installing build tools')
    return torch


def probe_torch(python: Path) -> Torch | None:
    """The torch that `python` imports, or None if it has none."""
    probe = run_probe(python, TORCH_PROBE)
    if probe.returncode == 0:
        return Torch(**json.loads(probe.stdout.splitlines()[-1]))
    if "No module named 'torch'" in probe.stderr:
        return None
    raise SetupError(f'torch is installed but does not import: {last_line(probe.stderr)}')


def torch_index() -> str:
    """Where to get torch; empty for pip's own index, whose Linux wheels bring 3 GB of CUDA."""
    chosen = os.environ.get('TORCH_INDEX_URL', '')
    has_driver = shutil.which('nvidia-smi') or Path('/proc/driver/nvidia/version').exists()
    if chosen or has_driver or platform.system() != 'Linux':
        return chosen
    try:
        with urllib.request.urlopen(f'{TORCH_CPU_INDEX}/torch/', timeout=5):
            return TORCH_CPU_INDEX
    except OSError:
        return ''
