"""HDF5 files that another process is writing are refused, whatever they hold."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from mmdistill.modalities import AudioModality, DetectionModality, PackedBoxes, RGBModality
from mmdistill.modalities.detection_file import DetectionWriter
from mmdistill.modalities.hdf5_file import HDF5File

WRITER = (
    'import h5py, sys; file = h5py.File(sys.argv[1], "a"); print("open", flush=True); '
    'sys.stdin.read()'
)


@pytest.mark.parametrize(
    'modality',
    [
        RGBModality(source='any'),
        DetectionModality(source='any'),
        PackedBoxes(source='any'),
        AudioModality(source='any', fps=10),
    ],
    ids=lambda modality: type(modality).__name__,
)
def test_a_file_that_another_process_is_writing(modality, tmp_path):
    path = tmp_path / 'any.h5'
    with DetectionWriter(path, classes=['cup']):
        pass
    record = dict(
        sample_id='n', video_id='v', start_frame=0, stop_frame=9, media={'any': str(path)}
    )
    with subprocess.Popen(
        [sys.executable, '-c', WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout.readline() == b'open\n'
        with pytest.raises(ValueError, match=r'any\.h5 is being written by another process; wait'):
            modality.read(record, np.array([1]))
        writer.stdin.close()
    with pytest.raises(KeyError):  # it is read now, and holds nothing
        modality.read(record, np.array([1]))


def test_a_file_that_is_cut_short(tmp_path):
    path = tmp_path / 'any.h5'
    with h5py.File(path, 'w') as file:
        file['data'] = np.zeros(10_000)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r'any\.h5 is not an HDF5 file, or it is cut short'):
        HDF5File(path).file()
