"""The trainings that are measured with their data: on the clips of `clips_on_disk`, one label."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmdistill.cache import use_teacher_cache
from mmdistill.commands import cache_teacher
from mmdistill.config_tools import load_config
from mmdistill.models.recognizer_config import resolve_recognizer

from .clips import CLASSES, DONE
from .ready_clips import NUM_BOXES
from .recipes import live
from .sizes import Size

DATA_CONFIG = 'configs/_base_/datasets/ek100.py'
FILES = dict(rgb='videos/{video_id}.mp4', flow='flow/{video_id}', obj='detections.h5')
PACKS = dict(FILES, rgb='rgb.h5', flow='flow.h5')
INTERVAL = 2  # frames between two that are sampled


def multimodal(
    root: Path, frames: int, pixels: tuple[int, int], media: dict[str, str] = FILES
) -> dict[str, Any]:
    """Config of a data set over the clips, with the pipeline of the EPIC-KITCHENS-100 configs."""
    pipeline = load_config(DATA_CONFIG).train_pipeline.to_dict()
    pipeline['sample'].update(clip_len=frames, frame_interval=INTERVAL)
    geometry = pipeline['load']['geometry']
    geometry['shorter_side']['scale'] = (-1, round(pixels[0] * 256 / 224))
    geometry['resize']['scale'] = tuple(reversed(pixels))
    pipeline['load'].update(inputs=('rgb', 'flow', 'obj'))
    pipeline['load']['modalities']['obj']['max_boxes'] = NUM_BOXES
    return dict(
        type='mmdistill.MultimodalDataset',
        ann_file='train.csv',
        media=dict(media),
        data_root=str(root),
        pipeline=pipeline,
    )


def distillation(size: Size, root: Path, work_dir: Path) -> Config:
    """A distillation with live experts on the clips on disk; a single label, `action`."""
    cfg = live(size, work_dir, dict(action=CLASSES))
    cfg.model.tasks = None
    if 'config' in cfg.model.recognizer:
        cfg.model.recognizer.cls_head = dict(num_classes=CLASSES)
    dataset = multimodal(root, size.frames, size.pixels)
    cfg.train_dataloader.dataset = dataset
    cfg.holdout_dataloader.dataset = dict(dataset, indices=size.batch)
    return cfg


def supervised(size: Size, root: Path, work_dir: Path) -> Config:
    """The same student as MMAction2 trains it: no wrapper, its own data set and pipeline."""
    cfg = distillation(size, root, work_dir)
    cfg.model = resolve_recognizer(cfg.model.recognizer)
    cfg.custom_hooks = []
    for name in ('teacher', 'holdout_dataloader'):
        cfg.pop(name)
    height, width = size.pixels
    pipeline = [
        dict(type='DecordInit'),
        dict(type='SampleFrames', clip_len=size.frames, frame_interval=INTERVAL, num_clips=1),
        dict(type='DecordDecode'),
        dict(type='Resize', scale=(-1, round(height * 256 / 224))),
        dict(type='RandomResizedCrop'),
        dict(type='Resize', scale=(width, height), keep_ratio=False),
        dict(type='Flip', flip_ratio=0.5),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs'),
    ]
    cfg.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    cfg.train_dataloader.dataset = dict(
        type='VideoDataset',
        ann_file=str(root / DONE),
        data_prefix=dict(video=str(root / 'videos')),
        pipeline=pipeline,
    )
    return cfg


def cached(cfg: Config, folder: Path) -> Config:
    """A distillation that reads the teacher's answers from a cache."""
    cfg = Config(cfg.to_dict())
    cfg.teacher_cache = str(folder)
    return use_teacher_cache(cfg)


def write_cache(cfg: Config, folder: Path, views: int) -> None:
    """What `mmdistill cache-teacher` does."""
    init_default_scope('mmaction')
    arguments = Namespace(out=folder, views=views, top_k=None, clips_per_shard=1024)
    cache_teacher.write(Config(cfg.to_dict()), arguments)
