"""How much memory a call needs at its peak, on a GPU and on a CPU."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only


class LiveTensors(TorchDispatchMode):
    """Watch what operators return, and how much of it is alive at once.

    Buffers inside an operator are not seen, nor is what libraries keep to themselves.

    Args:
        known: Tensors that were there before; views of them are nothing new.
    """

    def __init__(self, known: list[Tensor]) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._alive = {tensor.untyped_storage()._cdata for tensor in known}

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        tree_map_only(Tensor, self._meet, result)
        return result

    def _meet(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in self._alive:
            return
        self._alive.add(storage._cdata)
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._leave, storage._cdata, storage.nbytes())

    def _leave(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self.now -= size


def peak_bytes(call: Callable[[], Any], model: nn.Module) -> int:
    """Bytes of the model's weights and of what the call adds to them at its peak.

    On a GPU the allocator says so. On a CPU, whose allocator does not, it is the size of the
    tensors that are alive at once.
    """
    weights = [*model.parameters(), *model.buffers()]
    size = sum({t.untyped_storage()._cdata: t.untyped_storage().nbytes() for t in weights}.values())
    with torch.no_grad():
        if not torch.cuda.is_available():
            with LiveTensors(weights) as tensors:
                call()
            return size + tensors.peak
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        call()
        torch.cuda.synchronize()
        return size + torch.cuda.max_memory_allocated() - before
