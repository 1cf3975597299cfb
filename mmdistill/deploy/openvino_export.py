"""A published model written for OpenVINO: fp32, weights in fp16, or quantised to int8 by NNCF."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from ..extras import require
from .described import ENTRY, PublishedModel, description_of
from .onnx_export import traced
from .openvino_network import shared_core


def export_openvino(
    described: PublishedModel,
    network: nn.Module,
    path: str | Path,
    precision: str = 'fp32',
    views: Sequence[np.ndarray] = (),
) -> None:
    """Write the .xml with the model's description in it, and the weights into a .bin beside it.

    Args:
        described: What is known of the model.
        network: The recognizer, in evaluation mode.
        path: Of the .xml.
        precision: 'fp32', 'fp16' or 'int8'.
        views: Of int8: real views (V, …) that the ranges of activations are measured on.

    Raises:
        ValueError: The network has an operator that ONNX lacks; names it. Or int8 without views.
    """
    require('openvino', 'openvino', 'onnx', 'onnxscript')
    import openvino

    if precision == 'int8' and not views:
        raise ValueError(
            'int8 for OpenVINO needs views to measure its ranges: give --calib with some dozens of '
            'training videos.'
        )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix='.mmdistill_') as folder:
        graph = Path(folder) / 'graph.onnx'
        graph.write_bytes(traced(described, network))
        model = openvino.convert_model(str(graph))
        if precision == 'int8':
            require('openvino', 'nncf')
            import nncf

            shared_core()  # before those of NNCF
            data = nncf.Dataset([{'frames': x} for x in views])
            try:
                model = nncf.quantize(model, data, subset_size=len(views))
            except Exception as error:  # its faults have types of their own
                raise ValueError(
                    f'NNCF cannot quantise this network ({type(error).__name__}: {error}): use '
                    'fp32 or fp16, or --format onnx.'
                ) from error
        model.set_rt_info(description_of(described), [ENTRY])
        written = Path(folder) / path.name
        openvino.save_model(model, str(written), compress_to_fp16=precision == 'fp16')
        # The .xml goes first and comes last: no moment has one beside the weights of another.
        path.unlink(missing_ok=True)
        for suffix in ('.bin', '.xml'):
            shutil.move(written.with_suffix(suffix), path.with_suffix(suffix))


def is_openvino(path: Path) -> bool:
    """Whether a file is an .xml that `export_openvino` wrote."""
    try:
        return bool(shared_core().read_model(str(path)).has_rt_info([ENTRY]))
    except RuntimeError:  # it is something else, or not there
        return False
