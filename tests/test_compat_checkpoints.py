"""Checkpoints of MMEngine load as weights only; one that wants more changes nothing."""

import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import load_from_http

from mmdistill import compat
from mmdistill.compat_checkpoints import require_safe_torch


def mmengine_checkpoint() -> dict:
    history = HistoryBuffer()
    for value in (0.5, 0.25):
        history.update(value)
    scalars = {'epoch_time': np.float64(1.5), 'seen': np.int64(3), 'done': np.bool_(True)}
    return {
        'state_dict': {'weight': torch.arange(3.0)},
        'message_hub': {'log_scalars': {'train/loss': history}, 'runtime_info': scalars},
    }


def test_checkpoint_of_mmengine_loads_with_weights_only(tmp_path):
    torch.save(mmengine_checkpoint(), tmp_path / 'epoch_1.pth')
    loaded = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)
    history = loaded['message_hub']['log_scalars']['train/loss']
    assert history.data[0].tolist() == [0.5, 0.25]
    assert history.statistics('mean', 2) == pytest.approx(0.375)
    assert loaded['message_hub']['runtime_info'] == {'epoch_time': 1.5, 'seen': 3, 'done': True}


def test_checkpoint_of_numpy_1_loads_with_weights_only(tmp_path):
    path = tmp_path / 'old.pth'
    torch.save(mmengine_checkpoint(), path, _use_new_zipfile_serialization=False)
    packed = path.read_bytes()
    assert b'numpy._core.multiarray' in packed or np.__version__ < '2'
    # NumPy 1 wrote the old module name; the line-based GLOBAL opcode takes any length.
    path.write_bytes(packed.replace(b'cnumpy._core.multiarray', b'cnumpy.core.multiarray'))
    loaded = torch.load(path, weights_only=True)
    assert loaded['message_hub']['log_scalars']['train/loss'].data[0].tolist() == [0.5, 0.25]


class Command:
    """Runs a shell command when a careless loader unpickles it."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.system, (f'touch {self.marker}',)


class Attribute:
    """Asks the loader for an attribute: the first step out of any allow-list."""

    def __init__(self, owner: object, name: str) -> None:
        self.request = owner, name

    def __reduce__(self):
        return getattr, self.request


@pytest.mark.parametrize(
    'owner, name',
    [(HistoryBuffer, '__init__'), (HistoryBuffer, '__reduce__'), (np.ndarray, 'max')],
)
def test_checkpoint_may_not_reach_other_attributes(tmp_path, owner, name):
    torch.save({'message_hub': Attribute(owner, name)}, tmp_path / 'bad.pth')
    with pytest.raises((pickle.UnpicklingError, RuntimeError), match='getattr'):
        torch.load(tmp_path / 'bad.pth', weights_only=True)


def test_checkpoint_with_a_command_is_refused(tmp_path):
    torch.save({'state_dict': Command(tmp_path / 'ran')}, tmp_path / 'bad.pth')
    with pytest.raises(pickle.UnpicklingError, match='system'):
        torch.load(tmp_path / 'bad.pth', weights_only=True)
    assert not (tmp_path / 'ran').exists()


class Forged:
    """Unpickles as a call of `function`, with a state given to its result."""

    def __init__(self, function: object, *arguments: object, state: object = None) -> None:
        self.request = function, arguments, state

    def __reduce__(self):
        return self.request


def numbers(*values: float) -> np.ndarray:
    return np.array(values)


def history(**changes: object) -> Forged:
    """A log history whose state has other entries than MMEngine's."""
    state = dict(max_length=9, _log_history=numbers(1, 2), _count_history=numbers(1, 1))
    return Forged(HistoryBuffer, state={**state, **changes})


def kind(code: str, *state: object) -> Forged:
    """A NumPy type with a forged state."""
    return Forged(np.dtype, code, False, True, state=state)


def array(kind: object, content: object) -> Forged:
    """A NumPy array of two elements."""
    reconstruct, arguments, _ = np.zeros(1).__reduce__()
    return Forged(reconstruct, *arguments, state=(1, (2,), kind, False, content))


F8 = np.dtype('f8')
FORGED = {
    'mean becomes max': (
        history(statistics_methods=dict(mean=HistoryBuffer.max)),
        "statistic 'mean'",
    ),
    'mean becomes 5': (history(statistics_methods=dict(mean=5)), "statistic 'mean'"),
    'a statistic more': (history(statistics_methods=dict(p=HistoryBuffer.min)), "statistic 'p'"),
    'statistics of its own': (history(_statistics_methods={}), 'other things than numbers'),
    'a method of its own': (history(mean=HistoryBuffer.max), 'other things than numbers'),
    'a history of text': (history(_log_history='abc'), 'other things than numbers'),
    'flags of an object type': (kind('f8', 3, '<', None, None, None, -1, -1, 63), 'forges'),
    'the other byte order': (kind('f8', 3, '>', None, None, None, -1, -1, 0), 'forges'),
    'a type of objects': (kind('O', 3, '|', None, None, None, -1, -1, 0), 'not numbers'),
    'an array of objects': (array(np.dtype('O'), [1, 2]), 'not numbers'),
    'an array of nothing': (array(None, bytes(16)), 'other things than numbers'),
    'an array of a list': (array(F8, [1.0, 2.0]), 'other things than numbers'),
    'an array that is too short': (array(F8, bytes(8)), 'buffer|size'),
    'a scalar of nine bytes': (Forged(np.float64(0).__reduce__()[0], F8, bytes(9)), 'no number'),
}


@pytest.mark.parametrize('name', FORGED)
def test_a_forged_checkpoint_is_refused_and_changes_nothing(tmp_path, name):
    forged, expected = FORGED[name]
    before = dict(HistoryBuffer._statistics_methods), np.dtype('f8').__reduce__()
    torch.save({'message_hub': forged}, tmp_path / 'bad.pth')
    with pytest.raises((pickle.UnpicklingError, RuntimeError, ValueError), match=expected):
        torch.load(tmp_path / 'bad.pth', weights_only=True)
    assert (HistoryBuffer._statistics_methods, np.dtype('f8').__reduce__()) == before
    assert HistoryBuffer([1.0, 3.0], [1, 1]).statistics('mean') == 2


def test_a_loaded_history_is_an_ordinary_one_and_can_be_saved_again(tmp_path):
    loaded = mmengine_checkpoint() | dict(array=np.eye(2))
    for name in ('first.pth', 'second.pth'):
        torch.save(loaded, tmp_path / name)
        loaded = torch.load(tmp_path / name, weights_only=True)
    history = loaded['message_hub']['log_scalars']['train/loss']
    assert type(history) is HistoryBuffer and all(type(x) is np.ndarray for x in history.data)
    history.update(0.0)
    assert history.statistics('min') == 0
    # Stock MMEngine, which knows nothing of our classes, reads it.
    code = f"""
        import torch
        print(type(torch.load({str(tmp_path / 'second.pth')!r}, weights_only=False)['array']))
    """
    done = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "<class 'numpy.ndarray'>\n"


def test_a_finished_history_takes_no_second_state(tmp_path):
    path = tmp_path / 'twice.pth'
    torch.save(history(), path, _use_new_zipfile_serialization=False)
    packed = path.read_bytes()
    # The object ends with BUILD ('b') and STOP ('.'): another state, an empty dict, goes between.
    end = packed.rindex(b'b.')
    path.write_bytes(packed[:end] + b'b}b.' + packed[end + 2 :])
    with pytest.raises(pickle.UnpicklingError, match='Can only build'):
        torch.load(path, weights_only=True)


def test_a_download_is_loaded_as_weights_only(tmp_path, monkeypatch):
    compat.apply()
    torch.save({'state_dict': Command(tmp_path / 'ran')}, tmp_path / 'bad.pth')
    with pytest.raises(pickle.UnpicklingError, match='system'):
        load_from_http((tmp_path / 'bad.pth').as_uri(), 'cpu', str(tmp_path / 'downloads'))
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('version', ['2.1.0', '2.5.1+cu124', '1.13.1'])
def test_an_older_torch_is_refused_in_one_line(version):
    with pytest.raises(ImportError, match=r'torch 2\.6 or newer, this is .*pip install') as caught:
        require_safe_torch(version)
    assert '\n' not in str(caught.value)


def test_this_and_newer_versions_of_torch_are_taken():
    for version in ('2.6.0', '2.13.0+cpu', '3.0.0'):
        require_safe_torch(version)
