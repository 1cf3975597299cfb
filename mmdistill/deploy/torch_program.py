"""A published model as a program of `torch.export` (.pt2): written, checked, run.

It needs PyTorch, and neither MMEngine nor MMAction2. `torch.export.load` can run code: it falls
back to pickles, and evaluates shapes as text. So a file is looked at before it is read.
Shape legend: N = views, K = classes.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..files import write_whole
from .described import ENTRY, PublishedModel, described_from, description_of
from .views import ExportedNetwork

WRITTEN_BY = 'expected a .pt2 file that `mmdistill export` wrote'
DTYPES = {'fp32': torch.float32, 'fp16': torch.float16}
# Files of an archive: plain tensors, their lists, the graph, the description. No objects, no code.
FILES = re.compile(
    r'[^/]+/(data/(weights/weight|constants/tensor)_\d+|data/(weights|constants)/model_\w+\.json|'
    r'models/model\.json|data/sample_inputs/model\.pt|extra/mmdistill|archive_(format|version)|'
    r'byteorder|\.data/\w+)'
)
# What a graph may call, and what its shapes may be made of: names of sizes, numbers, arithmetic.
OPERATORS = re.compile(
    r'torch\.ops\.aten\.\w+\.\w+|torch\.sym_(int|float|max|min|not|sum)|math\.(ceil|floor|trunc)|'
    r'_operator\.(add|sub|mul|floordiv|truediv|mod|neg|pow|getitem|eq|ne|ge|gt|le|lt|and_|or_)'
)
SHAPES = re.compile(
    r'[su]\d+|\d+|Max|Min|Mod|FloorDiv|CeilDiv|Eq|Ne|Ge|Le|Gt|Lt|True|False|oo|'
    r'Add|Mul|Pow|Integer|Rational|Symbol|positive|nonnegative|integer'
)


def export_program(
    described: PublishedModel, network: nn.Module, path: str | Path, precision: str = 'fp32'
) -> None:
    """Write the program with the model's description in it; the batch is dynamic.

    Raises:
        ValueError: The network cannot be traced, names the reason; or int8 is asked for.
    """
    from .view_network import ViewNetwork, example_views

    if precision not in DTYPES:
        raise ValueError(f'{precision} is not for torch-export: use --format onnx or openvino.')
    module = ViewNetwork(network).eval()
    if precision == 'fp16':
        module = module.half()
    views = example_views(described)
    try:
        with torch.no_grad():
            sizes = ({0: torch.export.Dim('views', min=1)},)
            program = torch.export.export(module, (views,), dynamic_shapes=sizes)
    except Exception as error:  # torch raises its own kinds for every stage of an export
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ValueError(f'This network cannot be exported by torch.export: {reason}') from error
    content = io.BytesIO()
    torch.export.save(program, content, extra_files={ENTRY: description_of(described)})
    write_whole(path, content.getvalue())


def load_program(path: str | Path, device: str = 'auto') -> tuple[PublishedModel, 'TorchProgram']:
    """Read an exported program.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no .pt2 of `mmdistill export`, or could run code when it is read.
    """
    from .devices import usable_device

    if not Path(path).is_file():
        raise FileNotFoundError(f'There is no model {path}; {WRITTEN_BY}.')
    check_program(path)
    extra = {ENTRY: ''}
    try:
        program = torch.export.load(str(path), extra_files=extra)
    except Exception as error:  # of zip files, JSON, versions of the format
        raise ValueError(f'{path} is no program that this PyTorch reads; {WRITTEN_BY}.') from error
    if not extra[ENTRY]:
        raise ValueError(f'{path} is a program without a description; {WRITTEN_BY}.')
    described = described_from(path, extra[ENTRY])
    return described, TorchProgram(program.module(), described, usable_device(device))


def is_program(path: Path) -> bool:
    """Whether a file is a program that `export_program` wrote."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(f'/{ENTRY}') for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):  # it is something else, or not there
        return False


def check_program(path: str | Path) -> None:
    """Raise ValueError where reading a file could run code: pickles, foreign calls, odd shapes."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not FILES.fullmatch(name):
                    raise ValueError(f'it holds {name!r}')
                content = archive.read(name)
                if name.endswith('.pt'):
                    torch.load(io.BytesIO(content), weights_only=True)
                elif name.endswith('.json'):
                    _check_json(json.loads(content))
    except Exception as error:
        raise ValueError(
            f'{path} is no program that can be read without running code ({error}); {WRITTEN_BY}.'
        ) from error


def _check_json(node: Any) -> None:
    for key, value in _entries(node):
        if key == 'target' and isinstance(value, str) and not OPERATORS.fullmatch(value):
            raise ValueError(f'it calls {value!r}')
        if key == 'expr_str' and any(
            not SHAPES.fullmatch(word) for word in re.findall(r'[^\s+\-*/(),<>=.\']+', value)
        ):
            raise ValueError(f'it has the shape {value!r}')
        if key == 'use_pickle' and value:
            raise ValueError('its weights are pickles')


def _entries(node: Any) -> Iterator[tuple[str, Any]]:
    """The pairs of all dicts in a JSON tree."""
    if isinstance(node, dict):
        yield from node.items()
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _entries(child)


class TorchProgram(ExportedNetwork):
    """A program of `torch.export`, or another module that gives a tensor per task."""

    def __init__(self, module: Any, described: PublishedModel, device: torch.device) -> None:
        super().__init__(described)
        self.module, self.device = module.to(device), device

    @torch.inference_mode()
    def run(self, views: np.ndarray) -> dict[str, np.ndarray]:
        """Task to logits (N, K)."""
        outputs = self.module(torch.from_numpy(views).to(self.device))
        found = zip(self.described.classes, outputs, strict=True)
        return {task: x.float().cpu().numpy() for task, x in found}
