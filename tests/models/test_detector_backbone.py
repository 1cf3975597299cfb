"""Detections from files and from a live detector: the same numbers, the same logits."""

import copy

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

import mmdistill.models.detection_head  # noqa: F401
import mmdistill.models.detector_backbone  # noqa: F401
from mmdistill.modalities.detection_file import DetectionFile, DetectionWriter, VideoDetections
from mmdistill.models.detector import FrameDetector

HEIGHT, WIDTH, FRAMES, BOXES, FEATURES = 48, 96, 4, 5, 16


def toy_video() -> np.ndarray:
    """RGB frames of coloured squares; the last one is black."""
    shape = (FRAMES, HEIGHT // 8, WIDTH // 8, 3)
    squares = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    squares[-1] = 0
    return squares.repeat(8, axis=1).repeat(8, axis=2)


def as_input(video: np.ndarray) -> torch.Tensor:
    """(1, 1, C, T, H, W), as FormatShape packs a clip of one view."""
    return torch.from_numpy(video).permute(3, 0, 1, 2)[None, None]


def toy_recognizer(backbone: dict, feature_dims: int = 0):
    init_default_scope('mmaction')
    torch.manual_seed(0)
    encoder = {'num_categories': 4, 'feature_dims': feature_dims, 'embed_dims': 16}
    head = {'type': 'I3DHead', 'num_classes': 3, 'in_channels': 16, 'init_std': 1.0}
    config = {
        'type': 'Recognizer3D',
        'backbone': backbone,
        'cls_head': {
            'type': 'mmdistill.DetectionFeatureHead',
            'encoder': encoder,
            'heads': {'action': head},
        },
        'data_preprocessor': {'type': 'ActionDataPreprocessor', 'format_shape': 'NCTHW'},
    }
    return MODELS.build(config).eval()


def logits(model, inputs: torch.Tensor) -> torch.Tensor:
    data = model.data_preprocessor({'inputs': list(inputs), 'data_samples': None})
    with torch.no_grad():
        return model.cls_head(model.extract_feat(data['inputs'], test_mode=True)[0])['action']


@pytest.fixture
def live(detector_config, detector_checkpoint) -> dict:
    return {
        'type': 'mmdistill.DetectorBackbone',
        'config': detector_config,
        'checkpoint': detector_checkpoint,
        'max_boxes': BOXES,
        'score_thr': 0.8,
    }


def extract(path, detector: FrameDetector) -> DetectionFile:
    """Write what the detector sees in the toy video, as the extraction does."""
    found = detector.detect(toy_video())
    parts = zip(*found, strict=True)
    boxes, scores, labels = (np.concatenate(part) for _, part in zip(range(3), parts, strict=False))
    features = None
    if found[0].features_ND is not None:
        features = np.concatenate([one.features_ND for one in found])
    video = VideoDetections(
        width=WIDTH,
        height=HEIGHT,
        num_frames=FRAMES,
        stride=1,
        frames_F=np.arange(FRAMES),
        offsets_F1=np.cumsum([0] + [len(one.scores_N) for one in found]),
        boxes_M4=boxes,
        scores_M=scores,
        labels_M=labels,
        features_MD=features,
    )
    with DetectionWriter(path, detector.classes) as writer:
        writer.write('video', video)
    return DetectionFile(path)


@pytest.mark.parametrize('roi_features', [False, True])
def test_files_and_live_give_the_same_logits(live, tmp_path, roi_features):
    # The extraction keeps more and worse boxes than the model reads.
    detector = FrameDetector(
        live['config'], live['checkpoint'], 0.8, max_boxes=9, roi_features=roi_features
    )
    file = extract(tmp_path / 'detections.h5', detector)
    read = torch.from_numpy(file.read('video', np.arange(FRAMES), max_boxes=BOXES))
    found_per_frame = (read[..., 4] > 0).sum(dim=1)
    assert found_per_frame.min() < BOXES and found_per_frame.max() == BOXES  # padded and cut

    features = FEATURES if roi_features else 0
    from_live = toy_recognizer({**live, 'roi_features': roi_features}, features)
    from_file = toy_recognizer({'type': 'mmdistill.DetectionInputs'}, features)
    from_live.load_state_dict(from_file.state_dict())
    packed = from_live.backbone(as_input(toy_video())[0])
    torch.testing.assert_close(packed[0], read, rtol=0, atol=0)
    expected = logits(from_file, read[None, None])
    assert expected.abs().max() > 0.1
    torch.testing.assert_close(logits(from_live, as_input(toy_video())), expected, rtol=0, atol=0)


def test_checkpoint_of_files_loads_strictly_into_the_live_recognizer(live):
    from_live, from_file = (
        toy_recognizer(live),
        toy_recognizer({'type': 'mmdistill.DetectionInputs'}),
    )
    assert all(key.startswith('cls_head.') for key in from_live.state_dict())
    from_live.load_state_dict(from_file.state_dict(), strict=True)


def test_detector_stays_frozen_inside_a_training_parent(live):
    model = toy_recognizer(live)
    detector = model.backbone.detector
    before = copy.deepcopy(detector.model.state_dict())
    model.train()
    model.init_weights()
    losses = model.cls_head(model.extract_feat(as_input(toy_video()).float())[0])['action']
    losses.sum().backward()
    assert not any(module.training for module in detector.model.modules())
    assert all(parameter.grad is None for parameter in detector.model.parameters())
    trained = {id(parameter) for parameter in model.parameters()}
    assert trained.isdisjoint(id(parameter) for parameter in detector.model.parameters())
    for name, value in detector.model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_ema_copy_shares_the_detector(live):
    model = toy_recognizer(live)
    assert copy.deepcopy(model).backbone.detector is model.backbone.detector


def test_float_and_byte_frames_give_the_same(live):
    backbone = MODELS.build(live)
    frames = as_input(toy_video())[0]
    torch.testing.assert_close(backbone(frames.float()), backbone(frames), rtol=0, atol=0)


def test_views_keep_their_frames(live):
    backbone = MODELS.build(live)
    frames = as_input(toy_video())[0]
    both = backbone(torch.cat([frames, frames.flip(2)]))
    assert both.shape == (2, FRAMES, BOXES, 6)
    torch.testing.assert_close(both[1], both[0].flip(0), atol=1e-4, rtol=0)


@pytest.mark.parametrize('scale, shift', [(1 / 255, 0), (1 / 58, -2), (2, 0)])
def test_frames_that_were_normalised(live, scale, shift):
    with pytest.raises(ValueError, match='take mean and std out of the data preprocessor'):
        MODELS.build(live)(as_input(toy_video())[0].float() * scale + shift)


def test_frames_of_another_shape(live):
    with pytest.raises(ValueError, match=r'\(views, 3, T, H, W\), got \(1, 2, 4, 8, 8\)'):
        MODELS.build(live)(torch.zeros(1, 2, 4, 8, 8))


def test_inputs_that_are_no_detections():
    backbone = MODELS.build({'type': 'mmdistill.DetectionInputs'})
    x = torch.rand(2, 3, 4, 6)
    assert backbone(x) is x
    with pytest.raises(ValueError, match=r'got \(2, 3, 8, 32, 32\); the pipeline must pack'):
        backbone(torch.zeros(2, 3, 8, 32, 32))
