"""A published model as an ONNX graph: written from PyTorch, run by ONNX Runtime.

Frames go in as uint8; normalisation is in the graph. Shape legend: N = views, K = classes.
"""

import io
import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ..extras import require
from ..files import write_whole
from ..models.logits import by_task
from .clips import ClipReader, frames_per_view
from .network import mean_over_views
from .published import ENTRY, PublishedModel, described_from, description_of

# The newest that ONNX Runtime 1.23, the last for Python 3.10, takes.
OPSET = 20
IR_VERSION = 10
WRITTEN_BY = 'expected a file that `mmdistill export` wrote'


class ViewNetwork(nn.Module):
    """From views of uint8 frames to logits: what is exported.

    Args:
        recognizer: In evaluation mode.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, recognizer: Any) -> None:
        super().__init__()
        self.recognizer: Any = recognizer
        preprocessor = recognizer.data_preprocessor
        self.swapped = bool(preprocessor.to_rgb)
        self.channel_axis = -4 if preprocessor.format_shape == 'NCTHW' else -3
        for name, default in (('mean', 0.0), ('std', 1.0)):
            shape = (-1,) + (1,) * (-self.channel_axis - 1)
            value = getattr(preprocessor, name, torch.full((3,), default))
            self.register_buffer(name, value.detach().reshape(shape).clone())

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """One tensor of logits (N, K) per task, in the order of the classes."""
        x = frames.float()
        if self.swapped:
            x = x.flip(self.channel_axis)
        x = (x - self.mean) / self.std
        if self.channel_axis == -4:
            x = x.unsqueeze(1)  # 3D recognizers expect an axis of views
        found = self.recognizer.extract_feat(x, test_mode=True)
        feats, head_kwargs = found if isinstance(found, tuple) else (found, {})
        head = self.recognizer.cls_head
        return tuple(by_task(head(feats, **head_kwargs), head).values())


def example_views(described: PublishedModel, count: int = 2) -> Tensor:
    """Random views of the right shape, (count, …) uint8."""
    generator = np.random.default_rng(0)
    frames = generator.integers(0, 256, (64, 240, 320, 3), dtype=np.uint8)
    inputs = ClipReader(described.clip).inputs(lambda inds: frames[inds], 0, len(frames))
    views = as_views(inputs, described)
    return torch.cat([views] * count)[:count]


def as_views(inputs: Tensor, described: PublishedModel) -> Tensor:
    """Packed frames of a clip as (V, …): of a 2D recognizer, the segments of a view together."""
    if described.clip['modality'].get('input_format', 'NCTHW') == 'NCTHW':
        return inputs
    return inputs.unflatten(0, (-1, frames_per_view(described.clip)))


def export_onnx(described: PublishedModel, network: nn.Module, path: str | Path) -> None:
    """Write the graph with the model's description in it; the batch is dynamic.

    Raises:
        ValueError: The network has an operator that ONNX lacks, or cannot be traced; names it.
    """
    require('export', 'onnx', 'onnxscript')
    import onnx

    views = example_views(described)
    content = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter('ignore')
            torch.onnx.export(
                ViewNetwork(network).eval(),
                (views,),
                cast(Any, content),  # a file object, too
                input_names=['frames'],
                output_names=list(described.classes),
                dynamic_axes={name: {0: 'views'} for name in ('frames', *described.classes)},
                opset_version=OPSET,
                dynamo=False,
            )
    except Exception as error:  # torch raises its own kinds for every stage of an export
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ValueError(f'This network cannot be exported to ONNX: {reason}') from error
    graph = onnx.load_from_string(content.getvalue())
    graph.ir_version = IR_VERSION
    onnx.helper.set_model_props(graph, {ENTRY: description_of(described)})
    onnx.checker.check_model(graph)
    write_whole(path, graph.SerializeToString())


def is_exported(path: Path) -> bool:
    """Whether a file is a graph that `export_onnx` wrote."""
    require('export', 'onnx')
    import onnx

    try:
        return any(entry.key == ENTRY for entry in onnx.load(str(path)).metadata_props)
    except Exception:  # of protobuf, of files that are something else or not there
        return False


def load_onnx(path: str | Path, device: str = 'auto') -> tuple[PublishedModel, 'OnnxNetwork']:
    """Read an exported model.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no ONNX file of `mmdistill export`, or the device is unknown.
    """
    require('export', 'onnxruntime')
    import onnxruntime

    if not Path(path).is_file():
        raise FileNotFoundError(f'There is no model {path}; {WRITTEN_BY}.')
    there = onnxruntime.get_available_providers()
    wanted = ['CPUExecutionProvider']
    if device.startswith('cuda') and 'CUDAExecutionProvider' not in there:
        raise ValueError(f'device={device!r}: this ONNX Runtime has {there}; use cpu.')
    if device != 'cpu' and 'CUDAExecutionProvider' in there:
        wanted.insert(0, 'CUDAExecutionProvider')
    try:
        session = onnxruntime.InferenceSession(str(path), providers=wanted)
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

    def view_logits(self, inputs: list[Tensor]) -> dict[str, np.ndarray]:
        """Task to (B, V, K) float32."""
        views = torch.cat([as_views(x, self.described) for x in inputs])
        outputs = self.session.run(list(self.described.classes), {'frames': views.numpy()})
        return {
            task: x.reshape(len(inputs), -1, x.shape[-1])
            for task, x in zip(self.described.classes, outputs, strict=True)
        }

    def logits(self, inputs: list[Tensor]) -> dict[str, np.ndarray]:
        """Task to (B, K), averaged over the views."""
        return mean_over_views(self.view_logits(inputs))
