"""The modality: a rate of its own, the geometry of the others, and clips that lack it."""

import cv2
import numpy as np
import pytest

from mmdistill.datasets.transforms import LoadModalities, PackModalities

POSE = dict(type='mmdistill.HandPoseModality', keypoints=('wrist', 'thumb'), frame_size=(120, 160))
RGB = dict(type='mmdistill.RGBModality', template='{index}.png')
THUMB = (0.4, 0.55)


def load(record, geometry=(), **modalities):
    return LoadModalities(modalities, geometry=geometry)(dict(record))


def test_it_samples_between_the_frames_over_the_same_time(record):
    """Frames 4 to 10 at 10 per second: the seconds 0.4 to 1.0, in 13 samples of 0.05."""
    pose = load(record, hand_pose=dict(POSE, clip_len=13))['hand_pose']
    assert pose.shape == (1, 13, 2, 2) and pose.dtype == np.float32
    np.testing.assert_allclose(pose[0, :, 0, 0], 0.1 + 0.1 * np.linspace(0.4, 1.0, 13), atol=1e-5)
    np.testing.assert_allclose(pose[0, :, 1], np.tile(THUMB, (13, 1)), atol=1e-5)


def test_without_clip_len_it_is_read_at_the_frames(record):
    pose = load(record, hand_pose=POSE)['hand_pose']
    np.testing.assert_allclose(pose[0, :, 0, 0], 0.1 + 0.1 * np.array([0.4, 0.6, 0.8, 1.0]))


def test_frame_rate_of_the_config_goes_before_that_of_the_record(record):
    pose = load(record, hand_pose=dict(POSE, fps=5.0))['hand_pose']
    np.testing.assert_allclose(pose[0, -1, 0, 0], 0.1 + 0.1 * 10 / 5)
    del record['avg_fps']
    with pytest.raises(ValueError, match="clip 'clip'.*set fps on HandPoseModality"):
        load(record, hand_pose=POSE)


GEOMETRIES = {
    'centre': [dict(type='Resize', scale=(-1, 110)), dict(type='CenterCrop', crop_size=100)],
    'random': [
        dict(type='Resize', scale=(-1, 112)),
        dict(type='RandomResizedCrop', area_range=(0.5, 1.0)),
        dict(type='Resize', scale=(96, 96), keep_ratio=False),
        dict(type='Flip', flip_ratio=0.5),
    ],
}


@pytest.mark.parametrize('name', GEOMETRIES)
@pytest.mark.parametrize('seed', range(4))
def test_a_keypoint_stays_on_its_pixel(record, tmp_path, name, seed):
    """The thumb rests on a bright spot of the frames; both go through one crop, resize and flip."""
    frame = np.zeros((120, 160, 3), np.uint8)
    x, y = round(THUMB[0] * 160), round(THUMB[1] * 120)
    frame[y - 2 : y + 2, x - 2 : x + 2] = 255
    for number in range(1, 13):
        cv2.imwrite(str(tmp_path / f'{number}.png'), frame)
    record['media']['rgb'] = str(tmp_path)
    np.random.seed(seed)
    results = load(record, GEOMETRIES[name], rgb=RGB, hand_pose=dict(POSE, clip_len=7))
    image = results['rgb'][0, 0, 0].astype(float)
    ys, xs = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    assert image.sum() > 0, 'the spot left the crop'
    spot = np.array([(image * xs).sum(), (image * ys).sum()]) / image.sum()
    for thumb in results['hand_pose'][0, :, 1]:
        assert thumb * image.shape[::-1] == pytest.approx(spot, abs=0.75)


def test_flip_mirrors_where_the_hand_goes(record):
    resize = dict(type='Resize', scale=(96, 72), keep_ratio=False)
    steps = [resize, dict(type='Flip', flip_ratio=1.0)]
    straight = load(record, [resize], hand_pose=POSE)['hand_pose']
    mirrored = load(record, steps, hand_pose=POSE)['hand_pose']
    np.testing.assert_allclose(mirrored[..., 0], 1 - straight[..., 0], atol=1e-6)
    np.testing.assert_allclose(mirrored[..., 1], straight[..., 1])


def test_views_come_first_crop_by_crop(record):
    record.update(frame_inds=np.array([0, 2, 20, 22]), num_clips=2, clip_len=2)
    crops = [dict(type='Resize', scale=(-1, 90)), dict(type='ThreeCrop', crop_size=90)]
    pose = load(record, crops, hand_pose=dict(POSE, clip_len=5))['hand_pose']
    assert pose.shape == (6, 5, 2, 2)
    # ThreeCrop: left, right, middle of a frame of 120 x 90; two clips of each, two seconds apart.
    left = np.array([0, 30, 15]) / 120
    expected = (THUMB[0] - left) * 120 / 90
    np.testing.assert_allclose(pose[::2, 0, 1, 0], expected, atol=1e-5)
    np.testing.assert_allclose(pose[1::2, 0, 0, 0] - pose[::2, 0, 0, 0], 0.2 * 120 / 90, atol=1e-5)


def test_a_clip_without_keypoints(record, tmp_path):
    record['media'] = dict(hand_pose=str(tmp_path / 'none.csv'), rgb=str(tmp_path))
    for number in range(1, 13):
        cv2.imwrite(str(tmp_path / f'{number}.png'), np.zeros((120, 160, 3), np.uint8))
    with pytest.raises(FileNotFoundError, match='none.csv.*optional=True on HandPoseModality'):
        load(record, rgb=RGB, hand_pose=POSE)
    results = load(record, rgb=RGB, hand_pose=dict(POSE, optional=True, clip_len=9))
    assert results['available'] == dict(rgb=True, hand_pose=False)
    assert results['hand_pose'].shape == (1, 9, 2, 2) and not results['hand_pose'].any()
    packed = PackModalities()(results)
    assert packed['inputs']['hand_pose'].shape == (1, 9, 2, 2)


def test_a_recording_that_is_shorter_than_the_clip_is_an_error(record):
    record['frame_inds'] = np.array([20, 25, 30, 35])
    with pytest.raises(ValueError, match='second 3.50 of the video; it covers 0.00 to 2.98 s'):
        load(record, hand_pose=POSE)
