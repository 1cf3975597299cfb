"""A folder in which a page's commands run as they stand: its reader's clone, data and models.

The configs are the project's own, with smaller networks, fewer and smaller frames. The data sets
are miniatures, experts and students as they begin, and the dumps of models that an earlier page
tests are those of the student.
"""

import csv
import glob
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from in_process import call_tool
from miniature_demo import write_demo
from miniature_epic import HEIGHT, WIDTH, write_epic_kitchens, write_published_frames
from miniature_media import write_video
from miniature_something import write_something
from mmengine.registry import init_default_scope
from pages import PAGES, ROOT, blocks, file_name

from mmdistill.config_tools import load_config
from mmdistill.models.detector import FrameDetector
from mmdistill.registry import MODELS
from mmdistill.video import index_video

EPIC, SOMETHING = 'data/EPIC-KITCHENS-100', 'data/something-something-v2'
DEMO = 'projects/demo/configs'
# Trained again for an epoch, it gets the name that it has.
BEST = 'best_acc_action_top1_epoch_1.pth'
SMALL_SWIN = 'arch=dict(_delete_=True, embed_dims=12, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2])'
# File, what stands there, and what stands there in the workplace: a change of the former is seen.
SMALLER = [
    ('configs/_base_/datasets/ek100.py', 'clip_len=32', 'clip_len=8'),
    ('configs/_base_/datasets/sthv2.py', 'clip_len=16', 'clip_len=8'),
    *(
        (f'configs/_base_/datasets/{name}.py', *change)
        for name in ('ek100', 'sthv2')
        for change in (
            ('scale=(-1, 256)', 'scale=(-1, 64)'),
            ('scale=(224, 224)', 'scale=(56, 56)'),
            ('crop_size=224', 'crop_size=56'),
            (
                'batch_size=8, num_workers=8, persistent_workers=True',
                'batch_size=2, num_workers=0, persistent_workers=False',
            ),
        )
    ),
    ('configs/_base_/models/stlt_ek100.py', 'embed_dims = 768', 'embed_dims = 16'),
    ('configs/_base_/models/stlt_ek100.py', 'num_layers=(6, 6)', 'num_layers=(1, 1)'),
    ('configs/_base_/models/swin_tiny_ek100.py', 'in_channels=768', 'in_channels=96'),
    (
        'configs/_base_/models/swin_tiny_ek100.py',
        'pretrained=None',
        f'{SMALL_SWIN}, pretrained=None',
    ),
    ('configs/unimodal/swin_sthv2_rgb.py', 'pretrained=None', f'{SMALL_SWIN}, pretrained=None'),
    ('configs/unimodal/swin_sthv2_rgb.py', 'num_classes=174', 'in_channels=96, num_classes=174'),
    ('configs/_base_/schedules/adamw_30e.py', 'max_epochs=30', 'max_epochs=1'),
    (f'{DEMO}/_base_/sizes.py', 'num_workers=1', 'num_workers=0, persistent_workers=False'),
    (f'{DEMO}/_base_/sizes.py', 'base_channels=16', 'base_channels=4'),
    (f'{DEMO}/_base_/sizes.py', 'in_channels=128', 'in_channels=32'),
    (f'{DEMO}/_base_/sizes.py', 'demo_epochs = 120', 'demo_epochs = 3'),
    (f'{DEMO}/_base_/sizes.py', 'demo_student_epochs = 40', 'demo_student_epochs = 3'),
    (f'{DEMO}/_base_/sizes.py', 'demo_flow_epochs = 30', 'demo_flow_epochs = 3'),
    (f'{DEMO}/_base_/sizes.py', 'demo_obj_epochs = 100', 'demo_obj_epochs = 3'),
    (f'{DEMO}/_base_/karmma.py', 'karmma_epochs = 60, 20', 'karmma_epochs = 3, 3'),
    (f'{DEMO}/karmma_teacher.py', 'rgb=128, flow=128', 'rgb=32, flow=32'),
    (f'{DEMO}/karmma_teacher.py', 'epochs = 30', 'epochs = 3'),
]


def make_workplace(folder: Path) -> Path:
    """Write the data and the configs that the pages' commands read."""
    write_epic_kitchens(folder / EPIC)
    write_something(folder / SOMETHING)
    write_demo(folder / 'data/demo')
    _write_configs(folder)
    _write_more_of_epic(folder / EPIC)
    _write_own_videos(folder / 'data/mine')
    return folder


def _write_configs(folder: Path) -> None:
    shutil.copytree(ROOT / 'configs', folder / 'configs')
    shutil.copytree(ROOT / 'projects', folder / 'projects')
    (folder / 'tests').symlink_to(ROOT / 'tests')
    for page in PAGES:
        for block in blocks(page, 'python'):
            if file_name(block):
                path = folder / file_name(block)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block)
    for name, old, new in SMALLER:
        path = folder / name
        text = path.read_text()
        assert old in text, (name, old)
        path.write_text(text.replace(old, new))
    for path in folder.glob('configs/_base_/teachers/*.py'):
        # The experts of these configs, not those that are installed.
        path.write_text(path.read_text().replace('mmdistill::unimodal', 'configs/unimodal'))
    for path in [*folder.glob('configs/unimodal/*.py'), *folder.glob('configs/distill/*.py')]:
        # Weights from the internet; a student names its recognizer by MMAction2's config.
        text = path.read_text().replace('download.openmmlab.com', 'nowhere.invalid')
        if 'load_from' in text:
            text += '\nload_from = None\n'
        if path.parent.name == 'distill' and path.stem.startswith('swin'):
            small = f'cls_head=dict(in_channels=96), backbone=dict({SMALL_SWIN}, pretrained'
            text = text.replace('backbone=dict(pretrained', small)
        path.write_text(text)


def _write_more_of_epic(folder: Path) -> None:
    """The tars of published frames, clips of the challenge without labels, and depth."""
    write_published_frames(folder.parent / 'published')
    annotations = folder / 'annotations'
    with (annotations / 'EPIC_100_validation.csv').open() as file:
        rows = [row[:8] for row in csv.reader(file)]
    with (annotations / 'EPIC_100_test_timestamps.csv').open('w', newline='') as file:
        csv.writer(file).writerows(rows)
    for video in folder.glob('*/videos/*.MP4'):
        depth = video.parents[1] / 'depth' / video.stem
        depth.mkdir(parents=True)
        for number in range(index_video(video).num_frames):
            image = np.full((HEIGHT, WIDTH), 40 * number, np.uint16)
            cv2.imwrite(str(depth / f'frame_{number + 1:010d}.png'), image)


def clear_place(tool: str, words: list[str]) -> None:
    """Make place for what a command will write, and bring what its reader has by then."""
    if '--out-template' in words:
        template = words[words.index('--out-template') + 1]
        for path in glob.glob(re.sub(r'\{\w+\}', '*', template)):
            shutil.rmtree(path) if Path(path).is_dir() else Path(path).unlink()
    if tool == 'tools/data/extract_detections.py':
        Path(words[words.index('--out') + 1]).unlink()
    if tool == 'tools/data/unpack_tars.py':
        for kind in ('rgb_frames', 'flow_frames'):
            for path in Path('data/published').glob(f'*/{kind}'):
                place = Path(EPIC, path.parent.name, kind)
                shutil.rmtree(place, ignore_errors=True)
                shutil.copytree(path, place)
    if tool == 'tools/train.py' and '--work-dir' in words:
        # What it trains replaces the untrained model that stood there.
        for path in Path(words[words.index('--work-dir') + 1]).glob('best_*.pth'):
            path.unlink()
    if tool == 'tools/analysis/views.py':
        shutil.copy('student.npz', 'rgb.npz')
    if 'work_dirs/video_files/config.py' in words:
        command = [sys.executable, 'tests/video_files/make_videos.py', 'work_dirs/video_files']
        subprocess.run(command, check=True, capture_output=True)


def _write_own_videos(folder: Path) -> None:
    rows = []
    for seed in range(3):
        noise = np.random.default_rng(seed).integers(0, 256, (40, 6, 8, 3), dtype=np.uint8)
        write_video(
            folder / f'videos/kitchen_{seed + 1}.mp4', noise.repeat(8, axis=1).repeat(8, axis=2), 10
        )
        rows.append(f'kitchen_{seed + 1},0,20,{seed}')
    text = '\n'.join(['video_id,start_frame,stop_frame,action', *rows])
    for name in ('train', 'val'):
        (folder / f'{name}.csv').write_text(text)
    (folder / 'classes.csv').write_text('id,name\n0,push\n1,lift\n2,touch\n')


def add_models() -> None:
    """In the workplace: experts and students as they begin, and what the student predicts."""
    init_default_scope('mmaction')
    for folder, out in (('configs/unimodal', 'work_dirs'), (DEMO, 'work_dirs/demo')):
        for path in sorted(Path(folder).glob('*.py')):
            if not re.search('report|results|detector|teacher', path.stem):
                _save(path, Path(out, path.stem))
    for name in ('rgbflowobj', 'rgbflow'):
        _save(Path(f'configs/distill/swin_ek100_{name}.py'), Path(f'work_dirs/swin_ek100_{name}'))
    for config, copy in (
        ('swin_ek100_rgb', 'rgb'),
        ('swin_ek100_flow', 'flow'),
        ('swin_ek100_rgbflowobj', 'student'),
    ):
        shutil.copy(f'work_dirs/{config}/{BEST}', f'{copy}.pth')
    for config, out in (
        ('configs/detectors/rtmdet_tiny_coco.py', 'work_dirs/rtmdet_tiny_coco.pth'),
        (f'{DEMO}/detector.py', f'work_dirs/demo/detector/{BEST}'),
    ):
        detector = FrameDetector(config, None).model
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        torch.save(dict(state_dict=detector.state_dict(), meta={}), out)
    _test('configs/distill/swin_ek100_rgbflowobj.py', ['student.pth'], Path())
    for name in ('rgb', 'flow', 'obj', 'student', 'teacher'):
        checkpoint = [] if name == 'teacher' else [f'work_dirs/demo/{name}/{BEST}']
        _test(f'{DEMO}/{name}.py', checkpoint, Path('work_dirs/demo/test', name))
    for seed in (1, 2):
        shutil.copytree('work_dirs/demo/test', f'work_dirs/results/seed{seed}/test')


def _test(config: str, checkpoint: list[str], folder: Path) -> None:
    outputs = ['--dump', str(folder / 'scores.npz'), '--out', str(folder / 'metrics.json')]
    assert call_tool('tools/test.py', [config, *checkpoint, *outputs]) == 0


def _save(config: Path, folder: Path) -> None:
    torch.manual_seed(0)
    model = MODELS.build(load_config(config).model)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(dict(state_dict=model.state_dict(), meta={}), folder / BEST)
