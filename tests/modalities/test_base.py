"""What every modality shares: own frame rates and sizes, and clips that lack a modality."""

import cv2
import numpy as np
import pytest

from mmdistill.datasets.transforms import LoadModalities, PackModalities
from mmdistill.modalities import Modality, frames_at_own_rate, positions_at_own_rate
from mmdistill.registry import MODALITIES

FRAME_INDS = np.array([0, 1, 2, 3, 5, 6, 7, 8])  # two clips of four frames


@MODALITIES.register_module(force=True)
class FrameNumbers(Modality):
    """A user's own modality: each frame is its number; a crop adds where it begins."""

    def frame_shape(self, record, frames_F):
        return 60, 80

    def read(self, record, frame_inds_F):
        assert self.path(record).exists()
        return frame_inds_F.astype(np.float32)

    def move(self, frames_F, crop_4, flip, size):
        return (-frames_F if flip else frames_F) + 1000 * crop_4[0]

    def pack(self, crops, num_clips, clip_len):
        return np.concatenate([frames.reshape(num_clips, clip_len) for frames in crops])

    def missing(self, num_frames, size):
        return np.full(num_frames, np.nan, dtype=np.float32)


@pytest.mark.parametrize(
    ('inds', 'clip_len', 'expected'),
    [
        ([[4, 6, 8, 10, 12]], None, [[4, 6, 8, 10, 12]]),
        ([[4, 6, 8, 10, 12]], 5, [[4, 6, 8, 10, 12]]),
        ([[4, 6, 8, 10, 12]], 3, [[4, 8, 12]]),
        ([[4, 6, 8, 10, 12]], 9, [[4, 5, 6, 7, 8, 9, 10, 11, 12]]),
        ([[0, 30], [100, 130]], 4, [[0, 10, 20, 30], [100, 110, 120, 130]]),
        ([[0, 2, 4, 4, 4]], 3, [[0, 4, 4]]),  # held at its last frame
        ([[7]], 3, [[7, 7, 7]]),
        ([[0], [10], [20], [30]], 2, [[0, 30]]),  # segments of one clip
        ([[0], [10]], 3, [[0, 5, 10]]),
        ([[0], [10]], None, [[0], [10]]),
    ],
)
def test_frames_at_own_rate_span_the_same_time(inds, clip_len, expected):
    spread = frames_at_own_rate(np.array(inds, dtype=np.int32), clip_len)
    assert spread.tolist() == expected
    assert spread.dtype == np.int32


@pytest.mark.parametrize(
    ('inds', 'clip_len', 'expected'),
    [
        ([[4, 6, 8]], 9, [[4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8]]),
        ([[0, 1], [10, 13]], 4, [[0, 1 / 3, 2 / 3, 1], [10, 11, 12, 13]]),
        ([[0, 2, 3, 3]], 7, [[0, 1, 2, 2.5, 3, 3, 3]]),  # held at its last frame
        ([[4, 6]], None, [[4, 6]]),
        ([[7]], 2, [[7, 7]]),
    ],
)
def test_positions_at_own_rate_may_lie_between_frames(inds, clip_len, expected):
    positions = positions_at_own_rate(np.array(inds, dtype=np.int32), clip_len)
    np.testing.assert_allclose(positions, expected)
    assert positions.dtype == np.float64


@pytest.fixture
def record(tmp_path):
    """RGB of nine frames, 80 x 60 pixels; flow and numbers were not made."""
    for number in range(1, 10):
        cv2.imwrite(str(tmp_path / f'{number}.png'), np.full((60, 80, 3), 10 * number, np.uint8))
    return dict(
        sample_id='clip',
        media=dict(rgb=str(tmp_path), flow=str(tmp_path / 'flow')),
        frame_inds=FRAME_INDS,
        num_clips=2,
        clip_len=4,
    )


RGB = dict(type='mmdistill.RGBModality', template='{index}.png')
FLOW = dict(type='mmdistill.FlowModality', optional=True)


def load(record: dict, geometry: tuple = (), **modalities: dict) -> dict:
    return LoadModalities(modalities, geometry=geometry)(dict(record))


def test_own_clip_len_and_size(record):
    record['media']['numbers'] = record['media']['rgb']
    results = load(
        record,
        rgb=dict(RGB, clip_len=2, size=(30, 20)),
        numbers=dict(type='mmdistill.FrameNumbers', source='numbers', clip_len=7),
    )
    assert results['rgb'].shape == (2, 3, 2, 30, 20)
    assert results['rgb'][:, 0, :, 0, 0].tolist() == [[10, 40], [60, 90]]
    assert results['img_shape'] == (60, 80)
    halves = [[0, 0.5, 1, 1.5, 2, 2.5, 3], [5, 5.5, 6, 6.5, 7, 7.5, 8]]
    assert results['numbers'].tolist() == np.round(halves).tolist()


def test_a_users_modality_sees_crops_and_flip(record):
    record['media']['numbers'] = record['media']['rgb']
    numbers = dict(type='mmdistill.FrameNumbers', source='numbers')
    flipped = load(record, [dict(type='Flip', flip_ratio=1.0)], numbers=numbers)
    assert flipped['numbers'].tolist() == (-FRAME_INDS.reshape(2, 4)).tolist()
    crops = load(record, [dict(type='ThreeCrop', crop_size=60)], numbers=numbers)
    # Three 60 x 60 crops of 80 x 60 pixels: they begin at 0, 20 and 10 pixels; clips go inside.
    expected = np.concatenate([FRAME_INDS.reshape(2, 4) + x / 80 * 1000 for x in (0, 20, 10)])
    assert crops['numbers'] == pytest.approx(expected)


def test_optional_modality_is_filled_and_marked_unavailable(record):
    results = load(record, [dict(type='ThreeCrop', crop_size=60)], rgb=RGB, flow=FLOW)
    assert results['flow'].shape == (6, 2, 4, 60, 60)
    assert results['flow'].dtype == np.uint8
    assert (results['flow'] == 128).all()
    packed = PackModalities()(results)
    assert packed['data_samples'].metainfo['available'] == dict(rgb=True, flow=False)
    assert {key: tuple(value.shape) for key, value in packed['inputs'].items()} == dict(
        rgb=(6, 3, 4, 60, 60), flow=(6, 2, 4, 60, 60)
    )


def test_a_data_set_may_not_know_an_optional_modality(record):
    del record['media']['flow']
    assert load(record, flow=FLOW, rgb=RGB)['available'] == dict(flow=False, rgb=True)


def test_geometry_is_drawn_in_the_first_modality_that_is_there(record):
    results = load(record, flow=FLOW, rgb=RGB)
    assert results['img_shape'] == (60, 80)
    assert results['flow'].shape[-2:] == results['rgb'].shape[-2:] == (60, 80)


def test_missing_file_of_a_needed_modality(record):
    message = r"flow of clip 'clip' is missing: .*flow\. Extract it, or set optional=True on FlowM"
    with pytest.raises(FileNotFoundError, match=message):
        load(record, rgb=RGB, flow=dict(FLOW, optional=False))


def test_modality_that_the_data_set_does_not_name(record):
    message = r"has media for \['flow', 'rgb'\], but FrameNumbers needs 'sound'; add a template"
    with pytest.raises(KeyError, match=message):
        load(record, sound=dict(type='mmdistill.FrameNumbers', source='sound'))


def test_clip_with_no_modality_at_all(record):
    message = r"Clip 'clip' has none of the modalities \['flow'\]"
    with pytest.raises(FileNotFoundError, match=message):
        load(record, flow=FLOW)
