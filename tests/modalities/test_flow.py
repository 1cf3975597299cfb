"""Optical flow: mirrored motion, the stride of published flow, missing files."""

import cv2
import numpy as np
import pytest

from mmdistill.datasets.transforms import LoadModalities
from mmdistill.modalities import FlowModality, mirror_flow

TEMPLATE = '{index:03d}.png'
NUM_FRAMES = 6


@pytest.fixture
def record(tmp_path):
    """Flow image k holds u = 100 + k and v = 200 + k, 8 x 6 pixels."""
    for axis, base in (('u', 100), ('v', 200)):
        (tmp_path / axis).mkdir()
        for k in range(NUM_FRAMES):
            image = np.full((6, 8), base + k, dtype=np.uint8)
            cv2.imwrite(str(tmp_path / axis / TEMPLATE.format(index=k + 1)), image)
    return dict(sample_id='clip', media=dict(flow=str(tmp_path)))


def load(record: dict, flip: bool = False, **kwargs) -> np.ndarray:
    modality = dict(type='mmdistill.FlowModality', template=TEMPLATE, **kwargs)
    geometry = [dict(type='Flip', flip_ratio=float(flip))]
    results = dict(record, frame_inds=np.array([1, 2]), num_clips=1, clip_len=2)
    return LoadModalities(dict(flow=modality), geometry=geometry)(results)['flow']


@pytest.mark.parametrize(
    ('u', 'expected'),
    [(128, 128), (129, 127), (127, 129), (148, 108), (1, 255), (255, 1), (0, 255)],
)
def test_mirror_negates_u_around_128(u, expected):
    flow = np.array([[[u, 77, 128]]], dtype=np.uint8)
    mirrored = mirror_flow(flow)
    assert mirrored.dtype == np.uint8
    assert mirrored.tolist() == [[[expected, 77, 128]]]
    assert flow[0, 0, 0] == u, 'the input must stay as it is'


def test_mirror_twice_gives_back_every_value_that_extraction_writes():
    flow = np.zeros((255, 2), dtype=np.uint8)
    flow[:, 0] = np.arange(1, 256)
    assert np.array_equal(mirror_flow(mirror_flow(flow)), flow)


@pytest.mark.parametrize(
    ('stride', 'images'), [(None, [0, 1, 4, 5, 4]), (1, [0, 1, 4, 5, 4]), (2, [0, 0, 2, 2, 2])]
)
def test_stride_of_the_record_says_which_image_shows_a_frame(record, stride, images):
    if stride is not None:
        record['flow_stride'] = stride
    read = FlowModality(template=TEMPLATE).read(record, np.array([0, 1, 4, 5, 4]))
    assert read.shape == (5, 6, 8, 2)
    assert read[:, 0, 0, 0].tolist() == [100 + k for k in images]
    assert read[:, 0, 0, 1].tolist() == [200 + k for k in images]


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('channels', [2, 3])
def test_channels_and_flip_of_a_packed_clip(record, channels, flip):
    packed = load(record, flip, channels=channels)
    assert packed.shape == (1, channels, 2, 6, 8)
    means = packed[0, :, :, 3, 4].tolist()
    u = [256 - 101, 256 - 102] if flip else [101, 102]
    assert means == [u, [201, 202], [128, 128]][:channels]


def test_absent_flow_is_no_motion():
    absent = FlowModality(optional=True, channels=3).missing(2, (5, 7))
    assert absent.shape == (2, 5, 7, 3) and absent.dtype == np.uint8
    assert (absent == 128).all()


@pytest.mark.parametrize('axis', ['u', 'v'])
def test_missing_image(record, tmp_path, axis):
    (tmp_path / axis / TEMPLATE.format(index=3)).unlink()
    with pytest.raises(FileNotFoundError, match=rf'Frame 2 \(0-based\) is missing: .*{axis}/003'):
        load(record)


def test_one_or_four_channels_are_refused():
    with pytest.raises(ValueError, match=r'2 channels \(u, v\) or 3 .* got 4'):
        FlowModality(channels=4)


def test_one_reading_serves_two_layouts_of_the_same_flow(record, monkeypatch):
    read, asked = FlowModality.read, []
    monkeypatch.setattr(
        FlowModality, 'read', lambda self, r, inds: asked.append(list(inds)) or read(self, r, inds)
    )
    flow = dict(type='mmdistill.FlowModality', template=TEMPLATE)
    modalities = dict(
        flow=flow, images=dict(flow, input_format='NCHW'), three=dict(flow, channels=3)
    )
    results = dict(record, frame_inds=np.array([1, 2]), num_clips=1, clip_len=2)
    found = LoadModalities(modalities)(results)
    assert asked == [[1, 2, 1, 2], [1, 2]]
    assert np.array_equal(found['images'], found['flow'][0].transpose(1, 0, 2, 3))
    assert np.array_equal(found['three'][:, :2], found['flow'])
    assert (found['three'][:, 2] == 128).all()
