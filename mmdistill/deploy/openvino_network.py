"""A model exported to OpenVINO as a function from packed frames to logits; needs no PyTorch.

Shape legend: N = views, K = classes.
"""

from pathlib import Path
from typing import Any

import numpy as np

from ..extras import require
from .described import ENTRY, PublishedModel, described_from
from .views import ExportedNetwork, num_threads

WRITTEN_BY = 'expected the .xml of `mmdistill export`, with its .bin beside it'


def load_openvino(
    path: str | Path, device: str = 'auto'
) -> tuple[PublishedModel, 'OpenvinoNetwork']:
    """Read an exported model: the .xml, whose weights are in the .bin beside it.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no file of `mmdistill export`, or the device is unknown.
    """
    for part in (Path(path), Path(path).with_suffix('.bin')):
        if not part.is_file():
            raise FileNotFoundError(f'There is no {part}; {WRITTEN_BY}.')
    if device not in ('auto', 'cpu'):
        raise ValueError(f'device={device!r}: OpenVINO runs on the CPU here; use cpu.')
    core = shared_core()
    try:
        model = core.read_model(str(path))
    except RuntimeError as error:
        raise ValueError(f'{path} is no model of OpenVINO; {WRITTEN_BY}.') from error
    if not model.has_rt_info([ENTRY]):
        raise ValueError(f'{path} is a model without a description; {WRITTEN_BY}.')
    described = described_from(path, model.get_rt_info([ENTRY]).astype(str))
    # By itself it computes in bfloat16 where the CPU can: not what was compared at export.
    options = {'INFERENCE_PRECISION_HINT': 'f32', 'INFERENCE_NUM_THREADS': num_threads()}
    compiled = core.compile_model(model, 'CPU', options)
    return described, OpenvinoNetwork(compiled, described)


_cores: list[Any] = []  # one at most; no cache that somebody might clear


def shared_core() -> Any:
    """The core of this process; it stays to the end.

    The CPU plugin of a core sets a stack for signal handlers, and in the end puts back what it
    found. Where two cores end in the order in which they began, that is the freed stack of the
    first: the next signal, such as Ctrl-C, would be a segmentation fault.
    """
    require('openvino', 'openvino')
    import openvino

    if not _cores:
        core = openvino.Core()
        core.get_property('CPU', 'FULL_DEVICE_NAME')  # loads the plugin
        _cores.append(core)
    return _cores[0]


class OpenvinoNetwork(ExportedNetwork):
    """A compiled model of OpenVINO."""

    def __init__(self, compiled: Any, described: PublishedModel) -> None:
        super().__init__(described)
        self.compiled = compiled

    def run(self, views: np.ndarray) -> dict[str, np.ndarray]:
        """Task to logits (N, K)."""
        found = self.compiled({'frames': views})
        return {task: found[task] for task in self.described.classes}
