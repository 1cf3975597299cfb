"""HDF5 packs: frames and flow as they were stored, in every form that the published files have."""

import multiprocessing
import pickle

import cv2
import h5py
import numpy as np
import pytest

from mmdistill.modalities import FlowModality, RGBModality
from mmdistill.modalities.frame_pack import FramePack, decode_image

LENGTH = 6
INDS = np.array([14, 10, 12, 12])  # of a segment that begins at frame 10


def encode(image):
    return cv2.imencode('.png', image)[1].tobytes()


@pytest.fixture(scope='module')
def images():
    rng = np.random.default_rng(0)
    return list(rng.integers(0, 256, (LENGTH, 8, 10, 3), dtype=np.uint8))  # RGB


def write(path, name, contents, kind='vlen'):
    with h5py.File(path, 'a') as file:
        if kind == 'vlen':
            data = file.create_dataset(name, (len(contents),), h5py.vlen_dtype(np.uint8))
            for i, content in enumerate(contents):
                data[i] = np.frombuffer(content, np.uint8)
        else:
            dtype = f'{kind}{max(map(len, contents))}'
            file.create_dataset(name, data=np.array(contents, dtype))
    return path


@pytest.fixture
def rgb(images, tmp_path):
    return [encode(image[..., ::-1]) for image in images]


def record(path, source='rgb'):
    return dict(sample_id='P01_1', video_id='P01', start_frame=10, media={source: str(path)})


@pytest.mark.parametrize('kind', ['vlen', 'S', 'V'])
@pytest.mark.parametrize(('name', 'first'), [('P01/P01_1', 10), ('P01', 0)])
def test_frames_of_segments_and_of_videos(images, rgb, tmp_path, kind, name, first):
    clip = record(write(tmp_path / 'rgb.hdf5', name, rgb, kind))
    inds = INDS - 10 + first
    found = RGBModality().read(clip, inds)
    np.testing.assert_array_equal(found, np.stack(images)[inds - first])


@pytest.mark.parametrize('channels', [2, 3])
@pytest.mark.parametrize('form', ['colour', 'interleaved'])
def test_flow_of_both_forms(images, tmp_path, form, channels):
    if form == 'colour':
        stored = [encode(image[..., ::-1]) for image in images]
    else:
        stored = [encode(image[..., axis]) for image in images for axis in (0, 1)]
    clip = record(write(tmp_path / 'flow.h5', 'P01/P01_1', stored), 'flow')
    # Published packs have flow for every frame: the stride of the JPEG folders does not count.
    found = FlowModality(channels=channels).read(clip | dict(flow_stride=2), INDS)
    np.testing.assert_array_equal(found[..., :2], np.stack(images)[INDS - 10][..., :2])
    assert found.shape[-1] == channels and (found[..., 2:] == 128).all()


def test_an_optional_modality_looks_into_the_pack(rgb, tmp_path):
    clip = record(write(tmp_path / 'rgb.h5', 'P01/P01_1', rgb))
    assert RGBModality(optional=True).available(clip)
    assert not RGBModality(optional=True).available(clip | dict(sample_id='P01_2'))
    assert not RGBModality(optional=True).available(record(tmp_path / 'gone.h5'))


def checksum(pack_and_record):
    pack, clip = pack_and_record
    return int(pack.read(clip, INDS).sum())


@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_it_works_in_other_processes(rgb, tmp_path, method):
    clip = record(write(tmp_path / 'rgb.h5', 'P01/P01_1', rgb))
    pack = FramePack(clip['media']['rgb'])
    expected = checksum((pack, clip))
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(checksum, [(pack, clip)]) == [expected]
    assert checksum((pickle.loads(pickle.dumps(pack)), clip)) == expected


class TestBadInput:
    def test_an_unknown_clip(self, rgb, tmp_path):
        clip = record(write(tmp_path / 'rgb.h5', 'P02/P02_1', rgb))
        with pytest.raises(KeyError, match=r"rgb\.h5 holds neither 'P01/P01_1' nor 'P01'.* P02"):
            RGBModality().read(clip, INDS)

    @pytest.mark.parametrize('index', [9, 10 + LENGTH])
    def test_frames_beyond_the_clip(self, rgb, tmp_path, index):
        clip = record(write(tmp_path / 'rgb.h5', 'P01/P01_1', rgb))
        with pytest.raises(ValueError, match=r'/P01/P01_1, which has 6.*video_info=None'):
            RGBModality().read(clip, np.array([index]))

    def test_an_image_cut_short(self, images, tmp_path):
        whole = cv2.imencode('.jpg', cv2.resize(images[0], (64, 64)))[1].tobytes()
        cut = whole[: len(whole) // 2]
        clip = record(write(tmp_path / 'rgb.h5', 'P01/P01_1', [whole, cut]))
        assert RGBModality().read(clip, np.array([10])).shape == (1, 64, 64, 3)
        with pytest.raises(ValueError, match=r'rgb\.h5, /P01/P01_1, image 1 is cut short'):
            RGBModality().read(clip, np.array([11]))

    @pytest.mark.parametrize('content', [b'', b'text'])
    def test_no_image(self, content):
        with pytest.raises(ValueError, match='here is not a readable image'):
            decode_image(content, 'here')

    def test_no_hdf5(self, tmp_path):
        (tmp_path / 'rgb.h5').write_text('no')
        with pytest.raises(ValueError, match=r'rgb\.h5 is not an HDF5 file'):
            RGBModality().read(record(tmp_path / 'rgb.h5'), INDS)
