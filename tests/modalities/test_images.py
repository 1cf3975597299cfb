"""Pixels under crop, resize and flip against OpenCV, and pixel transforms."""

import cv2
import numpy as np
import pytest

from mmdistill.modalities import RGBModality, move_image

WHOLE = np.array([0.0, 0.0, 1.0, 1.0])
HEIGHT, WIDTH = 60, 80


@pytest.fixture(scope='module')
def image() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (15, 20, 3), dtype=np.uint8)
    return cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def crop_of(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    return np.array([left, top, right, bottom]) / (WIDTH, HEIGHT, WIDTH, HEIGHT)


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    assert one.shape == other.shape
    assert one.dtype == other.dtype == np.uint8
    return np.abs(one.astype(int) - other)


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('box', [(0, 0, 80, 60), (10, 5, 50, 45), (30, 0, 80, 60)])
def test_crop_without_resize_is_exact(image, box, flip):
    left, top, right, bottom = box
    expected = image[top:bottom, left:right]
    moved = move_image(image, crop_of(*box), flip, expected.shape[:2])
    assert np.array_equal(moved, expected[:, ::-1] if flip else expected)


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('size', [(45, 60), (30, 40), (90, 120), (48, 100)])
def test_resize_of_the_whole_frame_is_opencvs(image, size, flip):
    expected = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
    moved = move_image(image, WHOLE, flip, size)
    # Warping keeps 5 bits of a position between pixels: a few grey levels at strong edges.
    error = difference(moved, expected[:, ::-1] if flip else expected)
    assert error.max() <= 6
    assert error.mean() < 1


@pytest.mark.parametrize('flip', [False, True])
def test_crop_with_resize_is_opencvs_up_to_the_rim(image, flip):
    expected = cv2.resize(image[8:52, 12:72], (48, 36), interpolation=cv2.INTER_LINEAR)
    moved = move_image(image, crop_of(12, 8, 72, 52), flip, (36, 48))
    error = difference(moved, expected[:, ::-1] if flip else expected)
    # At its rim our crop sees the pixels beside it.
    assert error[1:-1, 1:-1].max() <= 6


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('box', [(0, 0, 80, 60), (12, 8, 72, 52)])
def test_strong_shrinking_averages_as_opencv_does(image, box, flip):
    left, top, right, bottom = box
    pixels = image[top:bottom, left:right]
    expected = cv2.resize(pixels, (20, 15), interpolation=cv2.INTER_AREA)
    moved = move_image(image, crop_of(*box), flip, (15, 20))
    assert np.array_equal(moved, expected[:, ::-1] if flip else expected)


def test_crop_between_pixels_is_half_of_each():
    image = np.tile(np.array([0, 100, 200, 0], dtype=np.uint8), (4, 1))
    moved = move_image(image, np.array([0.125, 0.0, 0.875, 1.0]), False, (4, 3))
    assert moved.tolist() == [[50, 150, 100]] * 4


def test_two_channels(image):
    moved = move_image(image[..., :2], crop_of(12, 8, 72, 52), True, (44, 60))
    assert np.array_equal(moved, image[8:52, 12:72, :2][:, ::-1])


def test_pixel_transforms_see_the_moved_frames(image):
    invert = dict(type='ColorJitter', brightness=0.5, contrast=0, saturation=0, hue=0)
    plain, jittered = RGBModality(), RGBModality(transforms=[invert])
    frames = np.stack([image, image])
    moved = [m.move(frames, WHOLE, False, (30, 40)) for m in (plain, jittered)]
    assert moved[1].shape == (2, 30, 40, 3)
    assert difference(*moved).max() > 0


def test_pixel_transform_that_does_not_exist():
    with pytest.raises(KeyError, match='ColourJitter'):
        RGBModality(transforms=[dict(type='ColourJitter')])


@pytest.mark.parametrize('size', [(6, 8), (40, 50)])
def test_a_single_channel_keeps_its_axis(size):
    image = np.arange(24 * 32, dtype=np.uint8).reshape(24, 32, 1)
    assert move_image(image, np.array([0.0, 0.0, 1.0, 1.0]), True, size).shape == (*size, 1)
