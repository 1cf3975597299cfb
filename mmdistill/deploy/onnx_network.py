"""An exported ONNX graph as a function from packed frames to logits; needs no PyTorch.

Shape legend: N = views, K = classes.
"""

from pathlib import Path
from typing import Any

import numpy as np

from ..extras import require
from .described import ENTRY, PublishedModel, described_from
from .views import ExportedNetwork, num_threads

WRITTEN_BY = 'expected a file that `mmdistill export` wrote'


def load_onnx(path: str | Path, device: str = 'auto') -> tuple[PublishedModel, 'OnnxNetwork']:
    """Read an exported model.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no ONNX file of `mmdistill export`, or the device is unknown.
    """
    require('predict', 'onnxruntime')
    import onnxruntime

    if not Path(path).is_file():
        raise FileNotFoundError(f'There is no model {path}; {WRITTEN_BY}.')
    there = onnxruntime.get_available_providers()
    wanted = ['CPUExecutionProvider']
    if device.startswith('cuda') and 'CUDAExecutionProvider' not in there:
        raise ValueError(f'device={device!r}: this ONNX Runtime has {there}; use cpu.')
    if device != 'cpu' and 'CUDAExecutionProvider' in there:
        wanted.insert(0, 'CUDAExecutionProvider')
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads()
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
    except Exception as error:  # its errors have no common base of their own
        raise ValueError(f'{path} is no ONNX file that can be run here; {WRITTEN_BY}.') from error
    text = session.get_modelmeta().custom_metadata_map.get(ENTRY)
    if text is None:
        raise ValueError(f'{path} is a graph without a description; {WRITTEN_BY}.')
    described = described_from(path, text)
    return described, OnnxNetwork(session, described)


class OnnxNetwork(ExportedNetwork):
    """A session of ONNX Runtime."""

    def __init__(self, session: Any, described: PublishedModel) -> None:
        super().__init__(described)
        self.session = session

    def run(self, views: np.ndarray) -> dict[str, np.ndarray]:
        """Task to logits (N, K)."""
        tasks = list(self.described.classes)
        return dict(zip(tasks, self.session.run(tasks, {'frames': views}), strict=True))
