"""What the experts read of a batch: preprocessed once for all that want the same."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn

from .expert import Expert


class TeacherDataPreprocessor(BaseDataPreprocessor):
    """Give each expert its modality through the expert's own preprocessor.

    Args:
        experts: Name to expert.
        share: Let experts that read the same modality through equal preprocessors read one tensor.
    """

    def __init__(self, experts: Mapping[str, Expert], share: bool = True) -> None:
        # From pinned memory (pin_memory=True of a loader) nothing waits for the copy.
        super().__init__(non_blocking=True)
        # Not as submodules: the experts hold their preprocessors already.
        self._experts = dict(experts)
        self.sources = {name: self._source(name) if share else name for name in experts}

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Inputs become a dict from expert to tensor."""
        return dict(inputs=self.inputs(data), data_samples=self.cast_data(data['data_samples']))

    def inputs(self, data: dict[str, Any]) -> dict[str, Tensor | dict[str, Tensor]]:
        """Expert to what it reads, on its device and normalised."""
        found: dict[str, Tensor | dict[str, Tensor]] = {}
        for name, expert in self._experts.items():
            source = self.sources[name]
            found[name] = found[source] if source in found else expert.preprocess(data)
        return found

    def _source(self, name: str) -> str:
        """The first expert whose inputs are those of this one; itself, if it is the first."""
        mine = self._experts[name]
        for other, expert in self._experts.items():
            alike = preprocess_alike(*(x.recognizer.data_preprocessor for x in (expert, mine)))
            if expert.modality == mine.modality and alike:
                return other
        return name


def preprocess_alike(one: nn.Module, other: nn.Module) -> bool:
    """Whether two data preprocessors make the same of the same clips; False where in doubt."""
    if type(one) is not type(other):
        return False
    return _same(_settings(one), _settings(other))


def _settings(module: nn.Module) -> dict[str, Any]:
    """Everything that a module is, apart from torch's own bookkeeping."""
    bookkeeping = set(vars(nn.Module()))
    settings = {key: value for key, value in vars(module).items() if key not in bookkeeping}
    parameters = dict(module.named_parameters(recurse=False))
    buffers = dict(module.named_buffers(recurse=False))
    return settings | parameters | buffers | dict(module.named_children())


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.equal(one, other)
    if isinstance(one, nn.Module) and isinstance(other, nn.Module):
        return preprocess_alike(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return False
    # Not bool(): arrays have none.
    return (one is other or one == other) is True
