"""encode_flow and decode_flow: values by hand, clipping, precision."""

import numpy as np
import pytest

from mmdistill.modalities.flow_encoding import decode_flow, encode_flow


def test_values_by_hand():
    encoded = encode_flow(np.array([0, 20, -20, 10, 20 / 127, 1e9, -1e9]))
    assert encoded.dtype == np.uint8
    assert encoded.tolist() == [128, 255, 1, 192, 129, 255, 1]  # 10 px = 63.5 steps, to even
    assert encode_flow(np.array([5.0, -5.0]), bound=5).tolist() == [255, 1]


def test_flipping_the_sign_mirrors_the_code():
    flow = np.random.default_rng(0).normal(0, 8, (6, 7, 2))
    np.testing.assert_array_equal(256 - encode_flow(-flow).astype(int), encode_flow(flow))


@pytest.mark.parametrize('bound', [2.5, 20.0])
def test_round_trip_is_exact_to_half_a_step(bound):
    flow = np.random.default_rng(0).uniform(-bound, bound, (6, 7, 2)).astype(np.float32)
    decoded = decode_flow(encode_flow(flow, bound), bound)
    assert decoded.dtype == np.float32 and decoded.shape == flow.shape
    assert np.abs(decoded - flow).max() <= bound / 127 / 2 * 1.001
    np.testing.assert_array_equal(encode_flow(decoded, bound), encode_flow(flow, bound))


@pytest.mark.parametrize('bound', [0, -1, float('nan')])
def test_bound_must_be_positive(bound):
    for function in (encode_flow, decode_flow):
        with pytest.raises(ValueError, match='bound must be a finite number > 0'):
            function(np.zeros(3), bound)
