"""What MMAction2's transforms record of their draws, as fractions of the frame."""

import numpy as np
import pytest

from mmdistill.geometry import ClipGeometry


def test_a_crop_and_a_flip():
    results = dict(crop_quadruple=[0.25, 0.5, 0.5, 0.25], flip=True, flip_direction='horizontal')
    found = ClipGeometry.from_results(dict(results, img_shape=(32, 48)))
    assert found.crops_C4.tolist() == [[0.25, 0.5, 0.75, 0.75]]
    assert found.flip and found.size == (32, 48)
    with pytest.raises(ValueError, match='horizontal'):
        ClipGeometry.from_results(dict(results, flip_direction='vertical', img_shape=(32, 48)))


@pytest.mark.parametrize('scale', [None, (2.0, 0.5)])
def test_three_crops_in_pixels_of_the_frame_resized_or_not(scale):
    width, height = (60, 40) if scale is None else (120, 20)
    side = width // 3
    boxes = [[x, 0, x + side, height] for x in (0, side, 2 * side)]
    results = dict(crop_bbox=np.array(boxes), original_shape=(40, 60), img_shape=(height, side))
    if scale:
        results['scale_factor'] = scale
    crops_C4 = ClipGeometry.from_results(results).crops_C4
    thirds = [[0, 0, 1 / 3, 1], [1 / 3, 0, 2 / 3, 1], [2 / 3, 0, 1, 1]]
    np.testing.assert_allclose(crops_C4, thirds)
