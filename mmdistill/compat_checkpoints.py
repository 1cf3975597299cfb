"""What MMEngine writes into a checkpoint, read without running or forging anything.

torch unpickles weights and a few plain types; MMEngine adds the message hub's `HistoryBuffer` and
NumPy's numbers. Both take whatever state a file gives them: a HistoryBuffer replaces the statistics
of all others, and a dtype with forged flags corrupts NumPy's memory. So a checkpoint's names stand
for the classes below, which take numbers and nothing else.

Upstream: https://github.com/open-mmlab/mmengine/issues/1655 (MMEngine registers no types with
torch); that `load_url` does not load weights only is not reported. May go when both are solved.
"""

import functools
import sys
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

HISTORY = 'mmengine.logging.history_buffer.HistoryBuffer'
HISTORY_STATISTICS = ('min', 'max', 'mean', 'current')
HISTORY_STATE = {'max_length', '_log_history', '_count_history'}
NUMBERS = ('f8', 'f4', 'f2', 'i8', 'i4', 'i2', 'i1', 'u8', 'u4', 'u2', 'u1', 'b1')
# From here on no file can run code through `weights_only=True` (CVE-2025-32434).
OLDEST_TORCH = (2, 6)


def require_safe_torch(version: str = torch.__version__) -> None:
    """Refuse a torch whose checkpoints can run code.

    Raises:
        ImportError: It is older than 2.6.
    """
    major, minor = version.split('.')[:2]
    if (int(major), int(minor)) < OLDEST_TORCH:
        raise ImportError(
            f'mmdistill needs torch 2.6 or newer, this is {version}, where a checkpoint can run '
            "code, even with weights_only=True: pip install 'torch>=2.6'."
        )


def trust_mmengine_checkpoints() -> None:
    """Allow what MMEngine writes into a checkpoint, and nothing else, under `weights_only=True`."""
    # A pickle names NumPy's helpers as its writer's version did: core before 2.0, _core since.
    numpy_helpers = [
        pair
        for core in ('numpy.core', 'numpy._core')
        for pair in (
            (empty_array, f'{core}.multiarray._reconstruct'),
            (plain_number, f'{core}.multiarray.scalar'),
        )
    ]
    torch.serialization.add_safe_globals(
        [
            (PlainHistory, HISTORY),
            (history_statistic, 'builtins.getattr'),
            (PlainType, 'numpy.dtype'),
            (empty_array, 'numpy.ndarray'),
            PlainArray,
            *numpy_helpers,
        ]
    )


def download_weights_only() -> None:
    """Let MMEngine load what it downloads (`load_from='https://…'`) as weights only."""
    for name in ('mmengine.utils.dl_utils', 'mmengine.runner.checkpoint'):
        module = sys.modules.get(name)
        load_url = getattr(module, 'load_url', None)
        if load_url is not None and not isinstance(load_url, functools.partial):
            module.load_url = functools.partial(load_url, weights_only=True)


class ForgedCheckpointError(RuntimeError):
    """A checkpoint holds something that MMEngine never writes; the text goes on from its name."""


class PlainHistory(HistoryBuffer):
    """A HistoryBuffer of a checkpoint until its state is there; then it is an ordinary one."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take its numbers; its statistics must be those that every HistoryBuffer has."""
        state = dict(state)
        for name, method in state.pop('statistics_methods', {}).items():
            if name not in HISTORY_STATISTICS or method is not getattr(HistoryBuffer, name):
                raise ForgedCheckpointError(f'its log history brings a statistic {name!r}')
        values, counts = state.get('_log_history'), state.get('_count_history')
        if state.keys() != HISTORY_STATE or not all(
            isinstance(x, PlainArray) and x.ndim == 1 for x in (values, counts)
        ):
            raise ForgedCheckpointError('its log history holds other things than numbers')
        self.max_length = int(state['max_length'])
        self._log_history, self._count_history = np.array(values), np.array(counts)
        self._set_default_statistics()
        self.__class__ = HistoryBuffer


def history_statistic(owner: object, name: str) -> object:
    """Stand in for `getattr` inside a checkpoint: only HistoryBuffer's own statistics pass."""
    if owner is PlainHistory and name in HISTORY_STATISTICS:
        return getattr(HistoryBuffer, name)
    raise ForgedCheckpointError(f'it asks for getattr({owner!r}, {name!r})')


class PlainType:
    """Stand in for `numpy.dtype` inside a checkpoint: numbers, as this machine stores them."""

    def __init__(self, code: str, *flags: bool) -> None:
        if code not in NUMBERS:
            raise ForgedCheckpointError(f'it holds NumPy data of type {code!r}, not numbers')
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Nothing to set: the state of every such type is known."""
        if state != self.dtype.__reduce__()[2]:
            raise ForgedCheckpointError(f'it forges the NumPy type {self.dtype}: {state}')


class PlainArray(np.ndarray):
    """Stand in for `numpy.ndarray` inside a checkpoint: numbers only. Pickled as an ndarray."""

    def __new__(cls) -> 'PlainArray':
        """Without elements, until the state is there."""
        return super().__new__(cls, (0,), np.uint8)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Take shape, type and bytes."""
        version, shape, kind, in_columns, content = state
        if not isinstance(kind, PlainType) or not isinstance(content, bytes):
            raise ForgedCheckpointError('it holds a NumPy array of other things than numbers')
        super().__setstate__((version, shape, kind.dtype, in_columns, content))

    def __reduce__(self) -> tuple[Any, ...]:
        """As the ndarray that it is."""
        return np.array(self).__reduce__()


def empty_array(*_: Any) -> PlainArray:
    """Stand in for NumPy's `_reconstruct`."""
    return PlainArray()


def plain_number(kind: PlainType, content: bytes) -> np.generic:
    """Stand in for NumPy's `scalar`: one number from its bytes."""
    if not isinstance(kind, PlainType) or len(content) != kind.dtype.itemsize:
        raise ForgedCheckpointError('it holds a NumPy scalar that is no number')
    return np.frombuffer(content, kind.dtype)[0]
