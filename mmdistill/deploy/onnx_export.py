"""A published model written as an ONNX graph: fp32, fp16, or quantised to int8."""

import io
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from ..extras import require
from ..files import write_whole
from .described import ENTRY, PublishedModel, description_of
from .view_network import ViewNetwork, example_views

# The newest that ONNX Runtime 1.23, the last for Python 3.10, takes.
OPSET = 20
IR_VERSION = 10


def export_onnx(
    described: PublishedModel,
    network: nn.Module,
    path: str | Path,
    precision: str = 'fp32',
    views: Sequence[np.ndarray] = (),
) -> None:
    """Write the graph with the model's description in it; the batch is dynamic.

    Args:
        described: What is known of the model.
        network: The recognizer, in evaluation mode.
        path: Of the file.
        precision: 'fp32', 'fp16' or 'int8'.
        views: Of int8: real views (V, …) that the ranges of activations are measured on; none
            quantises matrix products alone, whose ranges are found while they run.

    Raises:
        ValueError: The network has an operator that ONNX lacks, or cannot be traced; names it. Or
            int8 without views is asked for of a network of convolutions.
    """
    require('export', 'onnx', 'onnxscript', 'onnxruntime')
    import onnx

    graph = onnx.load_from_string(traced(described, network))
    if precision == 'fp16':
        from onnxruntime.transformers.float16 import convert_float_to_float16

        graph = convert_float_to_float16(graph, keep_io_types=True)
    elif precision == 'int8':
        graph = quantised(graph, views)
    graph.ir_version = min(graph.ir_version, IR_VERSION)
    onnx.helper.set_model_props(graph, {ENTRY: description_of(described)})
    onnx.checker.check_model(graph)
    write_whole(path, graph.SerializeToString())


def traced(described: PublishedModel, network: nn.Module) -> bytes:
    """The graph in float32, as ONNX bytes."""
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
    return content.getvalue()


class _Views:
    """Calibration views, one call after the other, as ONNX Runtime asks for them."""

    def __init__(self, views: Sequence[np.ndarray]) -> None:
        self.rest = iter(views)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next views, or None behind the last."""
        found = next(self.rest, None)
        return None if found is None else {'frames': found}


def quantised(graph: Any, views: Sequence[np.ndarray]) -> Any:
    """The graph in int8.

    With views, convolutions and matrix products have ranges that were measured (QDQ); `per_channel`
    is left out, since it fails on 3D convolutions. Without, matrix products measure their own.
    Weights have 7 bits: a sum of two products of 8 bits overflows on CPUs without VNNI.

    Raises:
        ValueError: Without views, and most weights are convolutions'.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    if not views and _share_of_convolutions(graph) > 0.5:
        raise ValueError(
            'int8 of a network of convolutions needs views to measure its ranges: give --calib '
            'with some dozens of training videos.'
        )
    with tempfile.TemporaryDirectory() as folder:
        before, ready, after = (str(Path(folder) / f'{n}.onnx') for n in ('in', 'ready', 'out'))
        onnx.save(graph, before)
        # Shapes of a transformer's windows are computed while it runs: they cannot be inferred.
        quant_pre_process(before, ready, skip_symbolic_shape=True)
        if views:
            quantize_static(
                ready,
                after,
                cast(Any, _Views(views)),
                op_types_to_quantize=['Conv', 'MatMul', 'Gemm'],
                weight_type=QuantType.QInt8,
                activation_type=QuantType.QUInt8,
                reduce_range=True,
            )
        else:
            products = ['MatMul', 'Gemm']
            quantize_dynamic(ready, after, op_types_to_quantize=products, reduce_range=True)
        return onnx.load(after)


def _share_of_convolutions(graph: Any) -> float:
    """Of the weights that are multiplied by something."""
    sizes = {x.name: int(np.prod(x.dims)) for x in graph.graph.initializer}
    found = dict.fromkeys(('Conv', 'MatMul', 'Gemm'), 0)
    for node in graph.graph.node:
        if node.op_type in found:
            found[node.op_type] += sum(sizes.get(name, 0) for name in node.input)
    return found['Conv'] / max(1, sum(found.values()))


def is_exported(path: Path) -> bool:
    """Whether a file is a graph that `export_onnx` wrote."""
    require('export', 'onnx')
    import onnx

    try:
        return any(entry.key == ENTRY for entry in onnx.load(str(path)).metadata_props)
    except Exception:  # of protobuf, of files that are something else or not there
        return False
