"""HDF5 files that are being written, truncated, or that lead into other files are refused."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from mmdistill.modalities import AudioModality, DetectionModality, PackedBoxes, RGBModality
from mmdistill.modalities.detection_file import DetectionFile, DetectionWriter
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


def test_a_truncated_file(tmp_path):
    path = tmp_path / 'any.h5'
    with h5py.File(path, 'w') as file:
        file['data'] = np.zeros(10_000)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r'any\.h5 is not an HDF5 file, or it is truncated'):
        HDF5File(path).file()


FRAMES = np.arange(12, dtype=np.uint8)


@pytest.fixture
def other(tmp_path):
    """A file that somebody would like to read through ours."""
    path = tmp_path / 'other.h5'
    with h5py.File(path, 'w') as file:
        file['secret/frames'] = FRAMES
    (tmp_path / 'secret.bin').write_bytes(FRAMES.tobytes())
    return path


def external_link(file, other):
    file['v'] = h5py.ExternalLink(str(other), '/secret')


def external_link_below(file, other):
    file.create_group('v')['frames'] = h5py.ExternalLink(str(other), '/secret/frames')


def soft_link_to_an_external_one(file, other):
    file['there'] = h5py.ExternalLink(str(other), '/secret')
    file['v'] = h5py.SoftLink('/there')


def external_storage(file, other):
    data = [(str(other.with_name('secret.bin')), 0, len(FRAMES))]
    file.create_dataset('v/frames', FRAMES.shape, FRAMES.dtype, external=data)


def virtual_data(file, other):
    layout = h5py.VirtualLayout(FRAMES.shape, FRAMES.dtype)
    layout[:] = h5py.VirtualSource(str(other), 'secret/frames', FRAMES.shape)
    file.create_virtual_dataset('v/frames', layout)


LEADING_OUT = {
    external_link: r'any\.h5: /v is a link to another file, .*other\.h5:/secret\.',
    external_link_below: r'any\.h5: /v/frames is a link to another file, .*:/secret/frames',
    soft_link_to_an_external_one: r'any\.h5: /there is a link to another file',
    external_storage: r'any\.h5: /v/frames has its data in .*secret\.bin',
    virtual_data: r'any\.h5: /v/frames has its data in .*other\.h5',
}


@pytest.mark.parametrize('lead', LEADING_OUT, ids=lambda lead: lead.__name__)
def test_data_of_other_files_is_refused(tmp_path, other, lead):
    with h5py.File(tmp_path / 'any.h5', 'w') as file:
        lead(file, other)
    with h5py.File(tmp_path / 'any.h5') as file:  # what h5py alone would do
        assert (file['v/frames'][:] == FRAMES).all()
    with pytest.raises(ValueError, match=LEADING_OUT[lead]) as caught:
        HDF5File(tmp_path / 'any.h5').find('v/frames')
    assert '\n' not in str(caught.value)


READERS = dict(
    rgb=RGBModality(source='any'),
    obj=DetectionModality(source='any'),
    boxes=PackedBoxes(source='any'),
    audio=AudioModality(source='any', fps=10),
)


@pytest.mark.parametrize('key', READERS)
def test_every_reader_refuses_a_link_to_another_file(tmp_path, other, key):
    path = tmp_path / 'any.h5'
    with DetectionWriter(path, classes=['cup']):
        pass
    with h5py.File(path, 'a') as file:
        external_link(file, other)
    record = dict(
        sample_id='n', video_id='v', start_frame=0, stop_frame=9, media={'any': str(path)}
    )
    with pytest.raises(ValueError, match=LEADING_OUT[external_link]):
        READERS[key].read(record, np.array([1]))


def test_a_video_of_detections_may_not_have_one_array_elsewhere(tmp_path, other):
    path = tmp_path / 'any.h5'
    with DetectionWriter(path, classes=['cup']):
        pass
    with h5py.File(path, 'a') as file:
        for name in ('frames', 'offsets', 'scores', 'labels'):
            file[f'v/{name}'] = FRAMES
        file['v/boxes'] = h5py.ExternalLink(str(other), '/secret/frames')
    source = DetectionFile(path)
    for read in (lambda: source.load('v'), lambda: source.read('v', np.array([1]), 2)):
        with pytest.raises(ValueError, match='/v/boxes is a link to another file'):
            read()


def test_links_and_virtual_data_inside_the_file_are_followed(tmp_path):
    path = tmp_path / 'any.h5'
    with h5py.File(path, 'w') as file:
        file['a/b/frames'] = FRAMES
        file['absolute'] = h5py.SoftLink('/a/b')
        file['a/relative'] = h5py.SoftLink('b')
        file['a/hard'] = file['a/b']
        layout = h5py.VirtualLayout(FRAMES.shape, FRAMES.dtype)
        layout[:] = h5py.VirtualSource('.', 'a/b/frames', FRAMES.shape)
        file.create_virtual_dataset('virtual/frames', layout)
    source = HDF5File(path)
    for name in ('a/b', '/a//b/', './a/b', 'absolute', 'a/relative', 'a/hard', 'virtual'):
        assert (source.find(f'{name}/frames')[:] == FRAMES).all(), name
    for name in ('gone', 'a/gone', 'a/b/frames/gone', '..', '../a'):
        assert source.find(name) is None, name


@pytest.mark.parametrize('target', ['/gone', '/circle', 'circle'])
def test_a_link_to_nothing_is_named(tmp_path, target):
    with h5py.File(tmp_path / 'any.h5', 'w') as file:
        file['circle'] = h5py.SoftLink(target)
    with pytest.raises(ValueError, match=f'/circle is a link to {target}, which is not there'):
        HDF5File(tmp_path / 'any.h5').find('circle')
