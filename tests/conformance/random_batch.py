"""Batches of noise in the shape that a config's own pipeline packs."""

from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from torch import Tensor
from upstream_configs import clip_size

TEST_VIEWS = 2
JOINTS = {'coco': 17, 'openpose': 18, 'nturgb+d': 25}
SHORT_SKELETON = 20  # frames; a graph network takes any number


def random_batch(cfg: Config, num_clips: int, training: bool) -> dict[str, Any]:
    """A collated batch: the config's own inputs under `own`, small frames under `flow`."""
    shapes = input_shapes(cfg, training)
    generator = torch.Generator().manual_seed(num_clips + 10 * training)

    def clips(shape: tuple[int, ...], dtype: torch.dtype) -> list[Tensor]:
        noise = [torch.rand(shape, generator=generator) for _ in range(num_clips)]
        return [(255 * x).to(dtype) if dtype == torch.uint8 else x for x in noise]

    inputs = {key: clips(*shape) for key, shape in shapes.items()}
    inputs['flow'] = clips((1, 3, 2, 16, 16), torch.uint8)
    samples = [ActionDataSample(metainfo=dict(sample_id=f'clip{i}')) for i in range(num_clips)]
    for i, sample in enumerate(samples):
        sample.set_gt_label(3 * i + 1)
    return dict(inputs=inputs, data_samples=samples)


def input_shapes(cfg: Config, training: bool) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    """Batch key to the shape of one clip and its type."""
    model, backbone = cfg.model, cfg.model.backbone
    size = clip_size(model)
    clip_len, num_segs = _sampled(cfg)
    views = 1 if training else TEST_VIEWS
    channels = backbone.get('in_channels', 3)
    kind = model.type
    if kind == 'RecognizerGCN':
        joints = JOINTS[backbone.graph_cfg.layout]
        return {'own': ((views, 2, SHORT_SKELETON, joints, channels), torch.float32)}
    if kind == 'RecognizerAudio':
        return {'own': ((views, 1, clip_len, 80), torch.float32)}
    if kind == 'MMRecognizer3D':
        return {
            'own': ((views, 3, clip_len['RGB'], size, size), torch.uint8),
            'pose': ((views, 17, clip_len['Pose'], size // 4, size // 4), torch.float32),
        }
    if kind == 'Recognizer2D':
        frames = views * num_segs
        return {'own': ((frames, channels, size, size), torch.uint8)}
    if isinstance(clip_len, dict):
        key = 'Pose' if channels == 17 else 'RGB'
        clip_len = clip_len.get(key, next(iter(clip_len.values())))
    if channels == JOINTS['coco']:  # heatmaps, which are a quarter as large as frames
        return {'own': ((views, channels, clip_len, size // 2, size // 2), torch.float32)}
    return {'own': ((views, channels, clip_len, size, size), torch.uint8)}


def _sampled(cfg: Config) -> tuple[Any, int]:
    """Frames per clip, and clips (segments) per video, of the config's pipeline."""
    pipeline = cfg.get('train_pipeline') or cfg.get('test_pipeline') or []
    for step in pipeline:
        if 'clip_len' in step and 'Sample' in step.type:
            return step.clip_len, step.get('num_clips', 1)
    # Configs that only carry weights have no pipeline.
    return cfg.model.backbone.get('t_size', 8), 1
