"""Export the students of configs/distill at their full size, and compare them with PyTorch.

    python tests/conformance/export_students.py
    python tests/conformance/export_students.py x3d-m_ek100_rgbflowobj

Weights are random. A line per student: its views, the largest logit, and the largest difference of
one. Takes about 6 minutes on two cores.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.registry import init_default_scope

import mmdistill  # noqa: F401  (repairs upstream first)
from mmdistill.config_tools import load_config
from mmdistill.deploy import publish_model
from mmdistill.deploy.clips import ClipReader
from mmdistill.deploy.onnx_export import export_onnx
from mmdistill.deploy.onnx_network import load_onnx
from mmdistill.deploy.torch_network import TorchNetwork, build_network
from mmdistill.registry import MODELS

ROOT = Path(__file__).parents[2]
STUDENTS = (
    'swin_ek100_rgbflowobj',
    'slowonly-r50_ek100_rgbflowobj',
    'tsm-r50_ek100_rgbflowobj',
    'tsm-mobilenetv2_ek100_rgbflowobj',
    'x3d-m_ek100_rgbflowobj',
)


def compare(name: str, folder: Path) -> str:
    """Publish and export a student, and run both on the same three clips."""
    config = ROOT / f'configs/distill/{name}.py'
    torch.manual_seed(0)
    student = MODELS.build(load_config(config).model)
    torch.save(dict(state_dict=student.state_dict(), meta={}), folder / 'student.pth')
    described, weights = publish_model(config, folder / 'student.pth')
    network = build_network(described, weights, config)
    export_onnx(described, network, folder / 'student.onnx')
    frames = np.random.default_rng(0).integers(0, 256, (80, 240, 320, 3), dtype=np.uint8)
    clip = ClipReader(described.clip).inputs(lambda inds: frames[inds], 0, len(frames))
    one = TorchNetwork(network, 'cpu').logits([clip] * 3)
    _, exported = load_onnx(folder / 'student.onnx', 'cpu')
    other = exported.logits([clip] * 3)
    largest = max(float(np.abs(x).max()) for x in one.values())
    difference = max(float(np.abs(one[task] - other[task]).max()) for task in one)
    return (
        f'{name}: clips {tuple(clip.shape)}, largest logit {largest:.3g}, difference '
        f'{difference:.2g}'
    )


def main(names: Sequence[str]) -> None:
    """Compare the students that are named, or all of them."""
    init_default_scope('mmaction')
    for name in names or STUDENTS:
        with tempfile.TemporaryDirectory() as folder:
            print(compare(name, Path(folder)), flush=True)


if __name__ == '__main__':
    main(sys.argv[1:])
