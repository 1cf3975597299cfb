"""The estimators measure a known motion, and what they lack is one clear sentence."""

import sys
from functools import partial

import cv2
import numpy as np
import pytest
import torch

from mmdistill.extraction import flow_estimators
from mmdistill.extraction.flow import FlowSettings, set_up_flow
from mmdistill.extraction.jobs import Job, run_jobs
from mmdistill.extraction.manifest import check_settings, read_manifest
from mmdistill.extraction.raft import RAFT
from mmdistill.modalities.flow_encoding import decode_flow
from mmdistill.registry import FLOW_ESTIMATORS


@pytest.fixture(scope='module')
def texture() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (90, 120)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


@pytest.mark.parametrize('preset', ['ultrafast', 'fast', 'medium'])
def test_dis_measures_a_known_motion(texture, preset):
    before, after = texture[10:74, 10:106], texture[12:76, 7:103]  # moves 3 right, 2 up
    flow = FLOW_ESTIMATORS.build({'type': 'DIS', 'preset': preset})(before, after)
    assert flow.shape == (64, 96, 2) and flow.dtype == np.float32
    np.testing.assert_allclose(np.median(flow[16:-16, 16:-16], axis=(0, 1)), [3, -2], atol=0.2)


def test_tvl1_measures_a_known_motion(texture):
    pytest.importorskip('cv2.optflow')
    before, after = texture[10:74, 10:106], texture[12:76, 7:103]
    flow = FLOW_ESTIMATORS.build({'type': 'TVL1', 'warps': 3})(before, after)
    assert flow.shape == (64, 96, 2) and flow.dtype == np.float32
    np.testing.assert_allclose(np.median(flow[16:-16, 16:-16], axis=(0, 1)), [3, -2], atol=0.2)


def test_options_that_do_not_exist():
    with pytest.raises(ValueError, match="presets.*got 'best'"):
        FLOW_ESTIMATORS.build({'type': 'DIS', 'preset': 'best'})
    pytest.importorskip('cv2.optflow')
    with pytest.raises(ValueError, match="does not take these options: {'speed': 3}"):
        FLOW_ESTIMATORS.build({'type': 'TVL1', 'speed': 3})


def test_opencv_without_its_contributed_modules(monkeypatch):
    monkeypatch.delattr(flow_estimators.cv2, 'optflow', raising=False)
    with pytest.raises(ImportError, match='install opencv-contrib-python'):
        FLOW_ESTIMATORS.build({'type': 'TVL1'})


def test_raft_without_torchvision(monkeypatch):
    monkeypatch.setitem(sys.modules, 'torchvision.models', None)
    monkeypatch.setitem(sys.modules, 'torchvision', None)
    with pytest.raises(ImportError, match='RAFT needs torchvision, .*: pip install torchvision'):
        FLOW_ESTIMATORS.build({'type': 'RAFT'})


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (dict(model='raft'), 'has the models'),
        (dict(iterations=0), 'iterations must be a whole number >= 1'),
    ],
)
def test_wrong_arguments_of_raft(wrong, message):
    with pytest.raises(ValueError, match=message):
        RAFT(**wrong)


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """RAFT with random weights."""
    models = pytest.importorskip('torchvision.models')
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('raft') / 'raft_small.pth'
    torch.save(models.get_model('raft_small', weights=None).state_dict(), path)
    return path


def test_raft_answers_as_the_network_itself(weights):
    """Frames of a multiple of 8 and large enough are not padded; smaller ones are, and cut back."""
    from torchvision.models import get_model

    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 136, 144, 3), dtype=np.uint8)
    raft = RAFT('raft_small', str(weights), iterations=3, device='cpu')
    network = get_model('raft_small', weights=None).eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255 * 2 - 1
    with torch.no_grad():
        expected = network(images[:1], images[1:], num_flow_updates=3)[-1][0].permute(1, 2, 0)
    np.testing.assert_allclose(raft(*frames), expected.numpy(), rtol=1e-4, atol=1e-4)
    assert raft(*frames[:, :48, :67]).shape == (48, 67, 2)


def test_flow_of_a_video_by_raft(weights, videos, tmp_path):
    estimator = dict(type='RAFT', model='raft_small', weights=str(weights), iterations=1)
    settings = FlowSettings(estimator | dict(device='cpu'))
    job = Job('P01_100', videos[0], tmp_path / 'flow/P01_100', 8)
    assert not run_jobs(partial(set_up_flow, settings, ()), [job], workers=0).failures
    u = decode_flow(cv2.imread(str(job.result / 'u/frame_0000000001.jpg'), 0))
    assert u.shape == (48, 64) and u.std() > 0
    made_with = read_manifest(job.manifest)['P01_100']['settings']
    assert made_with['estimator']['weights'].startswith('sha256:')
    # Neither the place of the weights nor the device matters; what is in the weights does.
    copy = weights.with_name('copy.pth')
    copy.write_bytes(weights.read_bytes())
    moved = FlowSettings(estimator | dict(weights=str(copy)))
    check_settings(job.result, made_with, moved.fingerprint())
    torch.save({}, copy)
    with pytest.raises(ValueError, match='differing: estimator is'):
        check_settings(job.result, made_with, moved.fingerprint())


def test_raft_weights_that_do_not_fit(weights, tmp_path):
    with pytest.raises(FileNotFoundError, match='no checkpoint .*none.pth'):
        RAFT(weights=str(tmp_path / 'none.pth'))
    with pytest.raises(ValueError, match=r'does not fit RAFT: \d+ of \d+ weights fit'):
        RAFT('raft_large', str(weights))
    (tmp_path / 'bad.pth').write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ValueError, match='bad.pth is truncated'):
        RAFT('raft_small', str(tmp_path / 'bad.pth'))
    with pytest.raises(ValueError, match="has the weights .*'C_T_V2'.*got 'best'"):
        RAFT('raft_small', 'best')
