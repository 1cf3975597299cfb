"""A small project as a user has it, that the rows of bad inputs spoil.

videos/{P01_01,P01_02,P02_01}.mp4   12 frames of 64 x 48 pixels, with sound
train.csv val.csv classes.csv       6 and 2 clips of them, 3 classes (task `action`)
flow/<video>/{u,v}, sound/<video>.flac    as the tools extract them, with their manifests
frames/P01_01, frames/P01_01.tar    frames as JPEGs, and the same as a tar
detections.h5                       a box per frame
detector.py detector.pth            a tiny detector of mmdet
expert.py expert.pth                a recognizer of RGB on these clips
distill.py                          a student with two such experts of RGB
work/epoch_1.pth work/last_checkpoint    a work dir of distill.py
cache/                              the logits of its experts
scores.npz other.npz holdout.npz    dumps of two models on 12 clips, and on 12 of a holdout
metrics.json                        what a test wrote
"""

import json
import os
import shutil
import tarfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from detector_toy import DETECTOR
from in_process import ROOT, call_tool
from miniature_media import detections_of, write_frames, write_video
from mmengine.registry import init_default_scope

from mmdistill.config_tools import load_config
from mmdistill.metrics import ScoreTable, save_scores
from mmdistill.modalities.detection_file import DetectionWriter
from mmdistill.models.detector import FrameDetector
from mmdistill.registry import MODELS

VIDEOS = ('P01_01', 'P01_02', 'P02_01')
FRAMES, HEIGHT, WIDTH = 12, 48, 64
CLASSES = ('push', 'lift', 'touch')

DATA = """
_base_ = {base!r}
data_root = '.'
modalities = dict(
    rgb=dict(type='mmdistill.RGBModality'),
    flow=dict(type='mmdistill.FlowModality', channels=3),
    obj=dict(type='mmdistill.DetectionModality', max_boxes=2),
    audio=dict(type='mmdistill.AudioModality'),
)
pipeline = dict(
    sample=dict(type='SampleFrames', clip_len=2, frame_interval=1, num_clips=1),
    load=dict(
        type='mmdistill.LoadModalities',
        inputs='rgb',
        modalities=modalities,
        geometry=dict(resize=dict(type='Resize', scale=(16, 16), keep_ratio=False)),
    ),
    pack=dict(type='mmdistill.PackModalities'),
)
dataset = dict(
    type='mmdistill.MultimodalDataset',
    data_root=data_root,
    media=dict(
        rgb='videos/{{video_id}}.mp4',
        flow='flow/{{video_id}}',
        obj='detections.h5',
        audio='sound/{{video_id}}.flac',
    ),
    tasks=dict(action='classes.csv'),
    holdout=dict(ratio=0.4, seed=0),
    pipeline=pipeline,
)
loader = dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
train_dataloader = dict(
    loader,
    sampler=dict(type='mmdistill.EpochSampler', shuffle=True),
    dataset=dict(dataset, ann_file='train.csv', split='train'),
)
holdout_dataloader = dict(loader, dataset=dict(dataset, ann_file='train.csv', split='holdout'))
val_dataloader = dict(loader, dataset=dict(dataset, ann_file='val.csv', test_mode=True))
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='mmdistill.TaskAccuracy', scores='logits'),
    dict(type='mmdistill.Calibration', scores='logits'),
]
test_evaluator = val_evaluator
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01))
default_hooks = dict(checkpoint=dict(save_best='acc/action/top1'))
recognizer = {recognizer!r}
"""
EXPERT = 'model = recognizer\n'
STUDENT = """
model = dict(
    type='mmdistill.StudentRecognizer',
    recognizer=recognizer,
    losses=dict(soft_target=dict(type='mmdistill.SoftTargetLoss')),
)
expert = dict(config='expert.py', checkpoint='expert.pth', modality='rgb')
teacher = dict(
    type='mmdistill.MultimodalTeacher',
    experts=dict(one=expert, two=expert),
    weighting=dict(type='mmdistill.SoftminWeighting', temperature=0.5),
)
custom_hooks = [dict(type='mmdistill.DistillationLossHook')]
"""
RECOGNIZER = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet3d',
        depth=18,
        pretrained=None,
        pretrained2d=False,
        base_channels=2,
        conv1_kernel=(1, 3, 3),
        conv1_stride_t=1,
        pool1_stride_t=1,
        temporal_strides=(1, 1, 1, 1),
        norm_eval=False,
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor', mean=[128.0] * 3, std=[64.0] * 3, format_shape='NCTHW'
    ),
    cls_head=dict(type='I3DHead', in_channels=16, num_classes=len(CLASSES), average_clips='score'),
)


def make_toys(folder: Path) -> Path:
    """Write everything that the docstring above lists."""
    folder.mkdir(parents=True)
    init_default_scope('mmaction')
    before = os.getcwd()
    os.chdir(folder)
    try:
        _write_media()
        _write_annotations()
        _write_models()
        _write_dumps()
        _run_tools()
    finally:
        os.chdir(before)
    return folder


def _write_media() -> None:
    rng = np.random.default_rng(0)
    with DetectionWriter('detections.h5', ['hand', 'cup']) as writer:
        for number, name in enumerate(VIDEOS):
            small = rng.integers(0, 256, (1, HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
            image = small.repeat(8, axis=1).repeat(8, axis=2)
            frames = np.concatenate([np.roll(image, i, axis=2) for i in range(FRAMES)])
            write_video(Path('videos') / f'{name}.mp4', frames, Fraction(10), tone=440.0)
            boxes = np.tile([8.0, 8.0, 24.0, 32.0], (FRAMES, 1))
            writer.write(name, detections_of(boxes, HEIGHT, WIDTH, label=number % 2))
            if not number:
                write_frames(Path('frames') / name, frames)
    with tarfile.open('frames/P01_01.tar', 'w') as tar:
        tar.add('frames/P01_01', arcname='.')


def _write_annotations() -> None:
    clips = [(name, start, start + 6) for name in VIDEOS for start in (0, 6)]
    header = 'video_id,start_frame,stop_frame,action'
    rows = [f'{",".join(map(str, clip))},{i % 3}' for i, clip in enumerate(clips)]
    Path('train.csv').write_text('\n'.join([header, *rows]) + '\n')
    Path('val.csv').write_text('\n'.join([header, *rows[-2:]]) + '\n')
    lines = [f'{i},{name}' for i, name in enumerate(CLASSES)]
    Path('classes.csv').write_text('\n'.join(['id,name', *lines]) + '\n')


def _write_models() -> None:
    base = str(ROOT / 'configs/_base_/default_runtime.py')
    data = DATA.format(base=base, recognizer=RECOGNIZER)
    Path('expert.py').write_text(data + EXPERT)
    Path('distill.py').write_text(data + STUDENT)
    Path('detector.py').write_text(DETECTOR)
    torch.manual_seed(0)
    expert = MODELS.build(load_config('expert.py').model)
    torch.save(dict(state_dict=expert.state_dict(), meta=dict(epoch=1, iter=3)), 'expert.pth')
    detector = FrameDetector('detector.py', None).model
    meta = dict(dataset_meta=dict(classes=('hand', 'cup')))
    torch.save(dict(state_dict=detector.state_dict(), meta=meta), 'detector.pth')


def _write_dumps() -> None:
    for seed, (name, prefix) in enumerate(
        dict(scores='clip', other='clip', holdout='held_out').items()
    ):
        rng = np.random.default_rng(seed)
        ids = np.array([f'{prefix}{i}' for i in range(12)])
        groups = np.array([f'{prefix}_video{i // 4}' for i in range(12)])
        labels = dict(action=np.arange(12) % len(CLASSES))
        scores = dict(action=rng.normal(size=(12, 1, len(CLASSES))).astype('f4'))
        save_scores(f'{name}.npz', ScoreTable(ids, groups, scores, labels, {}))
    metrics = {'acc/action/top1': 0.5, 'calibration/action/ece': 0.1}
    result = dict(metrics=metrics, num_samples=12, config='expert.py', checkpoint_sha256=None)
    Path('metrics.json').write_text(json.dumps(result | dict(versions={})))


def _run_tools() -> None:
    videos = ['--videos', *(f'videos/{name}.mp4' for name in VIDEOS), '--workers', '0']
    for tool, words in (
        ('tools/data/extract_flow.py', [*videos, '--out-template', 'flow/{video_id}']),
        ('tools/data/extract_audio.py', [*videos, '--out-template', 'sound/{video_id}.flac']),
        ('tools/cache_teacher.py', ['distill.py', 'cache']),
        ('tools/train.py', ['distill.py', '--work-dir', 'work', '--no-validate']),
    ):
        assert call_tool(tool, words) == 0, tool
    for path in Path('work').iterdir():
        if path.is_dir():
            shutil.rmtree(path)
