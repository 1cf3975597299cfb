"""An exported ONNX graph as a function from packed frames to logits; needs no PyTorch.

Shape legend: B = clips, V = views, K = classes.
"""

from pathlib import Path
from typing import Any

import numpy as np

from ..extras import require
from .described import ENTRY, PublishedModel, described_from
from .views import as_views, by_clip, mean_over_views, num_threads

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


class OnnxNetwork:
    """An ONNX graph as a function from packed frames to logits; see `TorchNetwork`."""

    def __init__(self, session: Any, described: PublishedModel) -> None:
        self.session, self.described = session, described

    def view_logits(self, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Task to (B, V, K) float32."""
        views = np.concatenate([as_views(x, self.described) for x in inputs])
        tasks = list(self.described.classes)
        outputs = self.session.run(tasks, {'frames': views})
        return by_clip(dict(zip(tasks, outputs, strict=True)), len(inputs))

    def logits(self, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Task to (B, K), averaged over the views."""
        return mean_over_views(self.view_logits(inputs))
