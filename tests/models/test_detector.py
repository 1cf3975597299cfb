"""FrameDetector: mmdet's own answers, in the right colours, sizes and order."""

import copy

import numpy as np
import pytest
import torch
from mmdet.apis import inference_detector
from mmengine.config import Config
from mmengine.registry import DefaultScope

import mmdistill  # noqa: F401
from mmdistill.models.detector import FrameDetector, pool_roi_features


def toy_frames(count: int = 3, height: int = 48, width: int = 96) -> np.ndarray:
    """Coloured squares of 8 pixels; noise would look the same everywhere to the toy detector."""
    shape = (count, height // 8, width // 8, 3)
    squares = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return squares.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture
def detector(detector_config, detector_checkpoint) -> FrameDetector:
    return FrameDetector(detector_config, detector_checkpoint, max_boxes=6)


def test_agrees_with_mmdets_own_inference(detector, detector_config):
    """The reference runs each frame alone through `mmdet.apis`, as BGR images."""
    frames = toy_frames()
    detector.model.cfg = Config(detector_config)
    for frame, found in zip(frames, detector.detect(frames), strict=True):
        with DefaultScope.overwrite_default_scope('mmdet'):
            expected = inference_detector(detector.model, frame[..., ::-1]).pred_instances
        # mmdet clips to its padded square, FrameDetector to the frame.
        boxes = expected.bboxes.minimum(torch.tensor([96.0, 48.0, 96.0, 48.0]))
        visible = boxes[:, 3] > boxes[:, 1]
        assert len(found.scores_N) == 6
        np.testing.assert_allclose(found.boxes_N4, boxes[visible][:6], atol=1e-3)
        np.testing.assert_allclose(found.scores_N, expected.scores[visible][:6], atol=1e-5)
        np.testing.assert_array_equal(found.labels_N, expected.labels[visible][:6])


def test_boxes_are_pixels_of_the_frame_given(detector_config, detector_checkpoint):
    """Both frames are the same 64 x 32 pixels to the network: twice the boxes, equal features."""
    detector = FrameDetector(detector_config, detector_checkpoint, max_boxes=6, roi_features=True)
    small = toy_frames(1, height=32, width=64)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    (expected,), (found,) = detector.detect(small), detector.detect(large)
    np.testing.assert_allclose(found.boxes_N4, 2 * expected.boxes_N4, atol=1e-3)
    np.testing.assert_allclose(found.features_ND, expected.features_ND, rtol=2e-3, atol=2e-3)
    assert (found.boxes_N4 >= 0).all() and (found.boxes_N4 <= [128, 64, 128, 64]).all()
    assert (found.boxes_N4[:, 2:] > found.boxes_N4[:, :2]).all()


@pytest.mark.parametrize('to_rgb', [False, True])
def test_colours_reach_the_network_as_its_preprocessor_expects(detector_config, to_rgb):
    frame = np.empty((64, 64, 3), dtype=np.uint8)
    frame[:] = red, green, blue = 200, 100, 50
    mean, std = [10.0, 20.0, 30.0], [1.0, 2.0, 4.0]
    preprocessor = detector_config['model']['data_preprocessor']
    preprocessor.update(mean=mean, std=std, bgr_to_rgb=to_rgb)
    detector = FrameDetector(detector_config, None)
    seen = []
    detector.model.backbone.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    detector.detect([frame])
    channels = (red, green, blue) if to_rgb else (blue, green, red)
    expected = [(c - m) / s for c, m, s in zip(channels, mean, std, strict=True)]
    torch.testing.assert_close(seen[0][0].mean(dim=(1, 2)), torch.tensor(expected))


def test_best_boxes_above_the_threshold_come_first(detector, detector_config, detector_checkpoint):
    everything = FrameDetector(detector_config, detector_checkpoint, score_thr=0.0, max_boxes=99)
    scores = everything.detect(toy_frames(1))[0].scores_N
    assert (np.diff(scores) <= 0).all() and scores[0] > scores[8]
    few = FrameDetector(
        detector_config, detector_checkpoint, score_thr=float(scores[3]), max_boxes=99
    )
    np.testing.assert_array_equal(few.detect(toy_frames(1))[0].scores_N, scores[:4])
    np.testing.assert_array_equal(detector.detect(toy_frames(1))[0].scores_N, scores[:6])


def test_frames_may_be_a_tensor_and_are_split_in_batches(
    detector, detector_config, detector_checkpoint
):
    one_by_one = FrameDetector(detector_config, detector_checkpoint, max_boxes=6, batch_size=1)
    for a, b in zip(
        detector.detect(toy_frames()),
        one_by_one.detect(torch.from_numpy(toy_frames())),
        strict=True,
    ):
        np.testing.assert_allclose(a.boxes_N4, b.boxes_N4, atol=1e-3)
    assert detector.detect(toy_frames(0)) == []


def test_roi_features_follow_boxes_and_exist_for_empty_frames(detector_config, detector_checkpoint):
    detector = FrameDetector(
        detector_config, detector_checkpoint, score_thr=0.4, max_boxes=5, roi_features=True
    )
    for found in detector.detect(toy_frames()):
        assert found.features_ND.dtype == np.float16
        assert found.features_ND.shape == (len(found.boxes_N4), 16)
        assert np.isfinite(found.features_ND).all()
    nothing = FrameDetector(detector_config, detector_checkpoint, score_thr=1.0, roi_features=True)
    found = nothing.detect(toy_frames(1))[0]
    assert found.boxes_N4.shape == (0, 4) and found.features_ND.shape == (0, 16)


def test_pooling_a_ramp_gives_the_centre_of_the_box():
    """RoIAlign of a linear map averages to its value at the centre; channel 1 names the level."""
    levels = []
    for number, stride in enumerate((8, 16)):
        size = 512 // stride
        ramp = ((torch.arange(size) + 0.5) * stride).expand(size, size)
        levels.append(torch.stack([ramp, torch.full((size, size), float(number))])[None])
    small, large = [0.0, 100, 40, 160, 120], [0.0, 100, 100, 400, 380]
    pooled = pool_roi_features(levels, torch.tensor([large, small]), input_width=512)
    torch.testing.assert_close(pooled, torch.tensor([[250.0, 1.0], [130.0, 0.0]]))


def test_pooling_needs_equal_channels():
    levels = [torch.zeros(1, 4, 8, 8), torch.zeros(1, 8, 4, 4)]
    with pytest.raises(ValueError, match=r'equal channels, got \[4, 8\]'):
        pool_roi_features(levels, torch.zeros(0, 5), input_width=64)


def test_it_is_frozen_and_copies_share_it(detector):
    assert not detector.model.training
    assert not any(parameter.requires_grad for parameter in detector.model.parameters())
    assert copy.deepcopy({'detector': detector})['detector'] is detector
    with torch.enable_grad():
        detector.detect(toy_frames(1))


def test_autocast_around_it_changes_nothing(detector):
    expected = detector.detect(toy_frames(1))[0]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = detector.detect(toy_frames(1))[0]
    np.testing.assert_array_equal(found.boxes_N4, expected.boxes_N4)
    np.testing.assert_array_equal(found.scores_N, expected.scores_N)


def test_class_names(detector, detector_config):
    assert detector.classes == ['hand', 'cup', 'plate', 'knife']
    assert FrameDetector(detector_config, None).classes == ['0', '1', '2', '3']
    detector_config['test_dataloader']['dataset']['metainfo'] = {'classes': ('a', 'b', 'c', 'd')}
    assert FrameDetector(detector_config, None).classes == ['a', 'b', 'c', 'd']


def test_config_without_a_pipeline_takes_frames_at_their_size(detector_config, detector_checkpoint):
    detector = FrameDetector({'model': detector_config['model']}, detector_checkpoint)
    assert len(detector.detect(toy_frames(1, height=64, width=64))[0].boxes_N4)


def test_config_from_a_file(detector, detector_config, detector_checkpoint, tmp_path):
    path = tmp_path / 'detector.py'
    Config(detector_config).dump(path)
    found = FrameDetector(path, detector_checkpoint, max_boxes=6).detect(toy_frames(1))[0]
    np.testing.assert_array_equal(found.boxes_N4, detector.detect(toy_frames(1))[0].boxes_N4)


def test_missing_files_are_named(detector_config):
    with pytest.raises(FileNotFoundError, match=r"no detector config 'nowhere\.py'"):
        FrameDetector('nowhere.py', None)
    with pytest.raises(FileNotFoundError, match=r'no detector checkpoint nowhere\.pth'):
        FrameDetector(detector_config, 'nowhere.pth')


def test_checkpoint_of_another_detector(detector_config, detector_checkpoint, tmp_path):
    detector_config['model']['bbox_head']['num_classes'] = 9
    with pytest.raises(ValueError, match='does not fit the detector config'):
        FrameDetector(detector_config, detector_checkpoint)
    content = torch.load(detector_checkpoint, weights_only=True)
    content['state_dict'].popitem()
    torch.save(content, tmp_path / 'short.pth')
    detector_config['model']['bbox_head']['num_classes'] = 4
    with pytest.raises(ValueError, match='missing: '):
        FrameDetector(detector_config, tmp_path / 'short.pth')


@pytest.mark.parametrize('shape, dtype', [((8, 8), 'uint8'), ((8, 8, 3), 'float32')])
def test_frames_must_be_rgb_bytes(detector, shape, dtype):
    with pytest.raises(ValueError, match='uint8, got'):
        detector.detect([np.zeros(shape, dtype=dtype)])
