"""One line for the user's mistakes, a traceback for faults: who raised the error decides."""

import logging
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import VISBACKENDS
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from mmdistill.modalities.detection_file import DetectionFile
from mmdistill.models.weighting import softmin_weights
from mmdistill.registry import MODALITIES
from mmdistill.user_errors import one_line_errors


@pytest.fixture(autouse=True)
def _no_tracebacks(monkeypatch):
    monkeypatch.delenv('MMDISTILL_TRACEBACK', raising=False)


class BadClips(Dataset):
    """Every clip fails in the way that it is told."""

    def __init__(self, fail):
        self.fail = fail

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.fail()


def fail_by_our_check():
    softmin_weights(None, temperature=0)


def fail_by_our_key_check():
    MODALITIES.build(dict(type='mmdistill.Smell'))


def fail_by_a_missing_file():
    DetectionFile('gone.h5').classes  # noqa: B018


def fail_by_a_full_disk():
    with open('/dev/full', 'w') as log:
        log.write('content')


def fail_by_a_folder():
    open('/proc')  # noqa: SIM115


def fail_by_a_place_that_hdf5_cannot_make():
    h5py.File('/proc/boxes.h5', 'w')


def fail_by_a_library_that_read_the_file():
    Image.open(__file__)


def fail_by_mmengine():
    Config.fromfile(Path(__file__).with_suffix('.md'))


def fail_by_a_fault():
    return dict(verb=1)['noun']


def fail_inside_a_library():
    return int('three')


MISTAKES = [
    (
        fail_by_our_check,
        'The weighting temperature must be a finite number > 0, got 0; 1.0 is a usual start.',
    ),
    (fail_by_our_key_check, 'mmdistill.Smell is not in the mmdistill::modality registry'),
    (
        fail_by_a_missing_file,
        'There is no detection file gone.h5. Make one with mmdistill extract-detections.',
    ),
    (fail_by_a_folder, "Is a directory: '/proc': a folder is there where a file is meant"),
    (fail_by_a_place_that_hdf5_cannot_make, "No such file or directory: '/proc/boxes.h5'"),
    (fail_by_a_library_that_read_the_file, f'cannot identify image file {__file__!r}'),
]

FAULTS = [fail_by_a_fault, fail_inside_a_library]


def in_worker(fail):
    list(DataLoader(BadClips(fail), num_workers=1))


@pytest.mark.parametrize(('fail', 'expected'), MISTAKES)
@pytest.mark.parametrize('run', [lambda fail: fail(), in_worker], ids=['here', 'in a worker'])
def test_a_mistake_is_one_line(run, fail, expected):
    with pytest.raises(SystemExit) as caught:
        one_line_errors(lambda: run(fail))()
    message = caught.value.code
    assert message.startswith(f'error: {expected}')
    assert '\n' not in message


@pytest.mark.parametrize('fail', FAULTS)
@pytest.mark.parametrize('run', [lambda fail: fail(), in_worker], ids=['here', 'in a worker'])
def test_a_fault_keeps_its_traceback(run, fail):
    with pytest.raises((KeyError, ValueError), match='noun|three'):
        one_line_errors(lambda: run(fail))()


def test_the_tool_itself_may_speak_and_its_lines_are_joined():
    def main():
        raise ValueError('There are two lines:\n    one and two.')

    with pytest.raises(SystemExit, match='^error: There are two lines: one and two.$'):
        one_line_errors(main)()


def test_a_full_disk_is_named_with_the_file_that_was_open():
    with pytest.raises(SystemExit, match="^error: No space left on device: '/dev/full': make room"):
        one_line_errors(fail_by_a_full_disk)()


def test_a_full_disk_under_the_log_is_silent(capsys):
    """The log is not worth a run, and a traceback per line would hide the rest."""
    handler = logging.FileHandler('/dev/full')
    one_line_errors(handler.emit)(logging.makeLogRecord(dict(msg='a line')))
    assert 'Traceback' not in capsys.readouterr().err


def test_mmengine_speaks_too():
    with pytest.raises(SystemExit, match='^error: .*test_user_errors.md'):
        one_line_errors(fail_by_mmengine)()


def test_what_is_not_in_a_config_is_a_sentence():
    with pytest.raises(SystemExit, match="^error: There is no 'model' in the config; add it.$"):
        one_line_errors(lambda: Config()['model'])()


def test_the_sentence_follows_what_was_printed(tmp_path):
    """Both in one file, as a job of a cluster has them."""
    tool = tmp_path / 'tool.py'
    tool.write_text(
        'from mmdistill.user_errors import one_line_errors\n@one_line_errors\n'
        "def main():\n    print('begun')\n    raise ValueError('It ends here.')\nmain()\n"
    )
    with (tmp_path / 'log').open('w') as log:
        code = subprocess.run(
            [sys.executable, tool], stdout=log, stderr=log, check=False
        ).returncode
    assert code == 1
    assert (tmp_path / 'log').read_text() == 'begun\nerror: It ends here.\n'


def test_an_error_of_the_system_names_the_file():
    with pytest.raises(SystemExit, match=r"^error: .*No such file or directory: 'gone.txt'$"):
        one_line_errors(lambda: Path('gone.txt').read_text())()


def test_what_succeeds_returns():
    assert one_line_errors(lambda x, *, y: x + y)(1, y=2) == 3


def test_the_traceback_can_be_asked_for(monkeypatch):
    monkeypatch.setenv('MMDISTILL_TRACEBACK', '1')
    with pytest.raises(ValueError, match='usual start'):
        one_line_errors(fail_by_our_check)()


@pytest.mark.parametrize(
    ('backend', 'module', 'advice'),
    [
        ('TensorboardVisBackend', 'torch.utils.tensorboard', 'pip install future tensorboard'),
        ('WandbVisBackend', 'wandb', 'pip install wandb'),
        ('MLflowVisBackend', 'mlflow', 'pip install mlflow'),
    ],
)
def test_a_missing_package_of_a_backend_is_one_line(backend, module, advice, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    built = VISBACKENDS.build(dict(type=backend, save_dir=str(tmp_path)))
    with pytest.raises(SystemExit, match=f'^error: Please run "{advice}"'):
        one_line_errors(built.add_config)(Config())


def fail_by_a_full_gpu():
    raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB')


def fail_by_a_killed_worker():
    raise RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed. Details are lost.')


def fail_by_the_machines_memory():
    np.empty((1 << 50,), np.float64)


@pytest.mark.parametrize(
    ('fail', 'said'),
    [
        (fail_by_a_full_gpu, 'CUDA out of memory'),
        (
            fail_by_a_killed_worker,
            r'worker \(pid 7\) is killed by signal: Killed: was',
        ),
        (fail_by_the_machines_memory, 'Unable to allocate'),
    ],
)
def test_a_full_memory_is_one_line_with_what_to_do(fail, said):
    with pytest.raises(SystemExit, match=rf'^error: .*{said}.*train_dataloader\.batch_size'):
        one_line_errors(fail)()


def test_a_reader_that_goes_away():
    """As in `tool | head -1`."""
    code = (
        'from mmdistill.user_errors import one_line_errors\n'
        'one_line_errors(lambda: [print(n) for n in range(200_000)])()'
    )
    tool = subprocess.Popen(
        [sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert tool.stdout.readline() == '0\n'
    tool.stdout.close()
    assert tool.wait(timeout=120) == 141
    assert 'Traceback' not in tool.stderr.read()
