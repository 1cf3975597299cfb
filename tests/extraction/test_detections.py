"""Detection extraction: right frames, what the detector says, restartable and byte-identical."""

import hashlib
import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmdistill.extraction.detection_output import Output, read_part
from mmdistill.extraction.detections import (
    DetectionSettings,
    extract_detections,
    frames_in_segments,
    make_job,
)
from mmdistill.extraction.jobs import run_jobs
from mmdistill.modalities.detection_file import DetectionFile, DetectionWriter
from mmdistill.models.detector import FrameDetector

CONFIG = """
_norm = dict(type='BN')
model = dict(
    type='RTMDet',
    data_preprocessor=dict(type='DetDataPreprocessor', mean=[110] * 3, std=[57] * 3),
    backbone=dict(type='CSPNeXt', deepen_factor=0.167, widen_factor=0.125, norm_cfg=_norm),
    neck=dict(type='CSPNeXtPAFPN', in_channels=[32, 64, 128], out_channels=32, num_csp_blocks=1,
              norm_cfg=_norm),
    bbox_head=dict(type='RTMDetSepBNHead', num_classes=3, in_channels=32, feat_channels=32,
                   stacked_convs=1, share_conv=True, with_objectness=False, norm_cfg=_norm,
                   anchor_generator=dict(type='MlvlPointGenerator', offset=0, strides=[8, 16, 32]),
                   bbox_coder=dict(type='DistancePointBBoxCoder'),
                   loss_cls=dict(type='QualityFocalLoss'), loss_bbox=dict(type='GIoULoss')),
    test_cfg=dict(nms_pre=50, score_thr=0.0, nms=dict(type='nms', iou_threshold=0.6),
                  max_per_img=20),
)
test_dataloader = dict(dataset=dict(pipeline=[
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(64, 64), keep_ratio=True),
    dict(type='Pad', size_divisor=32),
    dict(type='PackDetInputs'),
]))
"""


@pytest.fixture(scope='module')
def settings(tmp_path_factory) -> DetectionSettings:
    """A detector with random weights, drawn wide so that it sees this and that."""
    folder = tmp_path_factory.mktemp('detector')
    (folder / 'toy.py').write_text(CONFIG)
    torch.manual_seed(0)
    model = FrameDetector(folder / 'toy.py', None).model
    for name, parameter in model.named_parameters():
        if parameter.ndim == 4:
            torch.nn.init.normal_(parameter, std=1.7 / parameter[0].numel() ** 0.5)
        elif 'rtm_cls' in name:
            torch.nn.init.zeros_(parameter)
    checkpoint = {
        'state_dict': model.state_dict(),
        'meta': {'dataset_meta': {'classes': ('hand', 'cup', 'pan')}},
    }
    torch.save(checkpoint, folder / 'toy.pth')
    return DetectionSettings(
        str(folder / 'toy.py'), str(folder / 'toy.pth'), score_thr=0.3, max_boxes=4
    )


def build(settings: DetectionSettings) -> FrameDetector:
    return FrameDetector(
        settings.config,
        settings.checkpoint,
        settings.score_thr,
        settings.max_boxes,
        settings.roi_features,
        batch_size=3,
    )


def prepared(settings: DetectionSettings, stride: int = 2):
    """What a worker calls per job."""
    return partial(extract_detections, build(settings), stride, settings.fingerprint())


def extract(settings, videos: list[Path], path: Path, process=None, stride=2):
    """One run of the tool in this process; returns its report."""
    out = Output(path, settings.fingerprint())
    jobs = [make_job(video.stem, video, None, stride, out) for video in videos]
    process = process or prepared(settings, stride)
    out.open_parts()
    report = run_jobs(lambda worker: process, jobs, workers=0)
    if report.complete:
        out.merge(['hand', 'cup', 'pan'], 'toy', report.failures)
    return report


def recording(process, calls: list[str]):
    """`process`, which also writes down the names of its jobs."""
    return lambda job, advance: calls.append(job.name) or process(job, advance)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ('segments', 'stride', 'expected'),
    [
        ([(0, 5)], 2, [0, 2, 4]),
        ([(3, 8)], 2, [4, 6]),
        ([(3, 8), (4, 9)], 2, [4, 6, 8]),  # overlapping segments share frames
        ([(7, 8)], 4, [7]),  # too short for the grid
        ([(5, 6), (0, 3)], 1, [0, 1, 2, 5]),
        ([], 2, []),
    ],
)
def test_frames_in_segments(segments, stride, expected):
    assert frames_in_segments(segments, stride).tolist() == expected


def test_no_frame_of_a_segment_is_further_than_the_stride():
    rng = np.random.default_rng(0)
    for _ in range(200):
        start, length, stride = rng.integers(0, 50), rng.integers(1, 30), rng.integers(1, 9)
        frames = frames_in_segments([(start, start + length)], stride)
        assert start <= frames.min() and frames.max() < start + length
        wanted = np.arange(start, start + length)
        assert np.abs(wanted[:, None] - frames).min(axis=1).max() <= stride


@pytest.mark.parametrize('roi_features', [False, True])
def test_file_holds_what_the_detector_says_frame_by_frame(settings, videos, tmp_path, roi_features):
    settings = DetectionSettings(**{**vars(settings), 'roi_features': roi_features})
    assert not extract(settings, videos[2:], tmp_path / 'd.h5').failures
    file, detector = DetectionFile(tmp_path / 'd.h5'), build(settings)
    assert file.classes == ['hand', 'cup', 'pan'] and file.frame_shape('P01_102') == (48, 64)
    assert file.feature_dims == (32 if roi_features else 0)
    assert file.load('P01_102').frames_F.tolist() == [0, 2, 4, 6, 8]
    capture, boxes = cv2.VideoCapture(str(videos[2])), 0
    for index in range(9):
        frame = capture.read()[1]
        if index % 2:
            continue
        (expected,) = detector.detect([frame[..., ::-1]])
        rows = file.read('P01_102', [index], max_boxes=4)[0]
        rows = rows[rows[:, 5] >= 0]
        boxes += len(rows)
        np.testing.assert_allclose(
            rows[:, :4] * [64, 48, 64, 48], expected.boxes_N4, rtol=1e-4, atol=1e-2
        )
        np.testing.assert_allclose(rows[:, 4], expected.scores_N, rtol=1e-4)
        np.testing.assert_array_equal(rows[:, 5], expected.labels_N)
        if roi_features:
            np.testing.assert_allclose(rows[:, 6:], expected.features_ND, rtol=1e-2, atol=1e-2)
    assert boxes > 5
    assert not (tmp_path / 'd.h5.parts').exists()


def test_interrupted_and_restarted_is_byte_identical(settings, videos, tmp_path):
    extract(settings, videos, tmp_path / 'whole.h5')
    real = prepared(settings)

    def interrupted(job, advance):
        if job.name == 'P01_101':
            raise KeyboardInterrupt
        real(job, advance)

    path = tmp_path / 'restarted.h5'
    with pytest.raises(KeyboardInterrupt):
        extract(settings, videos, path, interrupted)
    assert not path.exists() and len(list((tmp_path / 'restarted.h5.parts').glob('*.npz'))) == 1

    calls = []
    extract(settings, videos, path, recording(real, calls))
    assert calls == ['P01_101', 'P01_102']
    assert sha256(path) == sha256(tmp_path / 'whole.h5')


def test_a_damaged_video_is_named_and_later_only_it_is_done(
    settings, videos, truncated, tmp_path, make_video
):
    path = tmp_path / 'd.h5'
    report = extract(settings, [truncated, *videos], path)
    assert list(report.failures) == ['P01_109'] and report.complete
    assert DetectionFile(path).video_ids == ['P01_100', 'P01_101', 'P01_102']

    make_video(truncated, num_frames=6)
    calls = []
    process = recording(prepared(settings), calls)
    assert not extract(settings, [truncated, *videos], path, process).failures
    assert calls == ['P01_109']
    extract(settings, [truncated, *videos], tmp_path / 'whole.h5')
    assert sha256(path) == sha256(tmp_path / 'whole.h5')


def test_more_annotations_later_redo_only_videos_whose_frames_change(settings, videos, tmp_path):
    path = tmp_path / 'd.h5'
    extract(settings, videos, path)
    out = Output(path, settings.fingerprint())
    same = make_job('P01_100', videos[0], [(0, 5), (4, 8)], 2, out)
    fewer = make_job('P01_100', videos[0], [(0, 5)], 2, out)
    assert same.done_before and not fewer.done_before


def test_videos_are_written_in_the_order_of_their_names(settings, videos, tmp_path, monkeypatch):
    """Set and folder order differ between processes, and byte identity with them."""
    written, write = [], DetectionWriter.write
    monkeypatch.setattr(
        DetectionWriter, 'write', lambda self, *args: written.append(args[0]) or write(self, *args)
    )
    names = [f'{name}{number}' for number in range(5) for name in 'zyx']
    out = Output(tmp_path / 'd.h5', settings.fingerprint())
    out.open_parts()
    detector = build(settings)
    for name in names:
        job = make_job(name, videos[0], [(0, 1)], 2, out)
        extract_detections(detector, 2, out.fingerprint, job, lambda frames: None)
    out.merge(['hand', 'cup', 'pan'], 'toy', {})
    assert written == sorted(names)


def test_two_ranks_make_the_same_file_as_one(settings, videos, tmp_path, monkeypatch):
    extract(settings, videos, tmp_path / 'one.h5')
    monkeypatch.setenv('WORLD_SIZE', '2')
    for rank in '10':
        assert not (tmp_path / 'two.h5').exists()
        monkeypatch.setenv('RANK', rank)
        extract(settings, videos, tmp_path / 'two.h5')
    assert sha256(tmp_path / 'two.h5') == sha256(tmp_path / 'one.h5')


def test_other_settings_are_refused(settings, videos, tmp_path):
    path = tmp_path / 'd.h5'
    extract(settings, videos[:1], path)
    other = DetectionSettings(**{**vars(settings), 'stride': 3})
    with pytest.raises(ValueError, match=r'd\.h5 was .*stride is 2 there, 3 now.*another place'):
        Output(path, other.fingerprint())
    Path(f'{path}.parts').mkdir()
    (tmp_path / 'd.h5.parts' / 'settings.json').write_text(json.dumps({'stride': 3}))
    with pytest.raises(ValueError, match=r'd\.h5\.parts was made .*max_boxes'):
        Output(path, settings.fingerprint())


def test_fingerprint_follows_contents_not_paths(settings, tmp_path):
    copies = {key: tmp_path / Path(getattr(settings, key)).name for key in ('config', 'checkpoint')}
    for key, copy in copies.items():
        copy.write_bytes(Path(getattr(settings, key)).read_bytes())
    moved = DetectionSettings(**{**vars(settings), **{k: str(v) for k, v in copies.items()}})
    assert moved.fingerprint() == settings.fingerprint()
    copies['config'].write_text(CONFIG.replace('iou_threshold=0.6', 'iou_threshold=0.5'))
    copies['checkpoint'].write_bytes(b'other weights')
    changed = {
        key for key, value in moved.fingerprint().items() if value != settings.fingerprint()[key]
    }
    assert changed == {'detector_sha256', 'checkpoint_sha256'}


def test_segments_past_the_end(settings, videos, tmp_path):
    out = Output(tmp_path / 'd.h5', settings.fingerprint())
    for stop in (12, 99_999_999):  # has 8 frames
        assert list(make_job('a', videos[0], [(4, stop)], 2, out).frames_F) == [4, 6]
    job = make_job('a', videos[0], [(4, 6), (100, 104)], 2, out)
    out.open_parts()
    report = run_jobs(lambda w: prepared(settings), [job], workers=0)
    assert 'has only 8 frames, but frame 100' in report.failures['a']


def test_part_round_trip_with_a_slash_in_the_name(settings, videos, tmp_path):
    out = Output(tmp_path / 'd.h5', settings.fingerprint())
    job = make_job('day 1/a', videos[0], None, 2, out)
    out.open_parts()
    extract_detections(build(settings), 2, out.fingerprint, job, lambda frames: None)
    video = read_part(job.result)
    assert (video.width, video.num_frames, video.features_MD) == (64, 8, None)
    out.merge(['hand', 'cup', 'pan'], 'toy', {})
    np.testing.assert_array_equal(DetectionFile(out.path).load('day 1/a').boxes_M4, video.boxes_M4)


@pytest.mark.parametrize(
    'wrong', [{'stride': 0}, {'max_boxes': 0}, {'score_thr': 2.0}, {'score_thr': float('nan')}]
)
def test_bad_numbers(wrong):
    with pytest.raises(ValueError, match=f'{next(iter(wrong))} must be a '):
        DetectionSettings('config', 'checkpoint', **wrong)


def test_missing_checkpoint(settings):
    with pytest.raises(FileNotFoundError, match=r'no checkpoint none\.pth'):
        DetectionSettings(settings.config, 'none.pth').fingerprint()
