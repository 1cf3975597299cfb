"""The recognition configs of the installed MMAction2, made small by config alone."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mmaction
from mmengine.config import Config

ROOT = Path(mmaction.__file__).parent / '.mim/configs'
ROOMS = ('recognition', 'recognition_audio', 'skeleton')

# These start from an image network unless told not to.
TAKE_2D_WEIGHTS = ('UniFormer', 'ResNetTSM', 'ResNetTIN', 'MobileNetV2TSM', 'MobileOneTSM')
# Layers of a transformer or classes of a stage say nothing about how a recognizer is called, so
# what costs time is cut; frames, heads, necks, segments and losses stay as they are.
SMALL_MVIT = dict(embed_dims=96, num_layers=6, num_heads=1, downscale_indices=[1, 2, 4])
SMALL_SWIN = dict(embed_dims=48, depths=[1, 1, 2, 1], num_heads=[3, 6, 12, 24])
SMALL_UNIFORMERV2 = dict(layers=4, width=192, heads=3, n_dim=192, n_head=3, return_list=range(4))


def config_names() -> list[str]:
    """Paths below `ROOT` of every recognition config, in order."""
    found = (path for room in ROOMS for path in (ROOT / room).rglob('*.py'))
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def read_small(name: str) -> tuple[Config, dict[str, Any]]:
    """A config with its reductions merged, and the reductions alone as `cfg_options`."""
    cfg = Config.fromfile(ROOT / name)
    options = {f'model.{key}': value for key, value in _reductions(cfg.model)}
    cfg.merge_from_dict(copy.deepcopy(options))  # which takes `_delete_` out of its argument
    return cfg, options


def clip_size(model: dict) -> int:
    """Height and width in pixels that keep the model fast and fit its layers."""
    kind = model['backbone']['type']
    if kind == 'C3D':
        return 32
    if 'ResNet3d' in kind or kind in ('ResNet2Plus1d', 'C2D', 'OmniResNet', 'RGBPoseConv3D'):
        return 32
    if model['backbone'].get('patch_size') == 14:
        return 56
    return 64


def _reductions(model: dict) -> Iterator[tuple[str, Any]]:
    yield from _without_pretrained(model, '')
    backbone, size = model['backbone'], clip_size(model)
    kind = backbone['type']
    if kind.startswith('mmcls.'):  # its name before it became mmpretrain
        yield 'backbone.type', kind.replace('mmcls.', 'mmpretrain.')
    for path in ('', '.slow_pathway', '.fast_pathway'):
        part = backbone.get(path[1:], {}) if path else backbone
        if isinstance(part.get('depth'), int) and part['depth'] > 50:
            yield f'backbone{path}.depth', 50
    if kind == 'SwinTransformer3D':
        yield 'backbone.arch', dict(SMALL_SWIN, _delete_=True)
        yield 'cls_head.in_channels', 384
    elif kind == 'MViT':
        yield 'backbone.arch', dict(SMALL_MVIT, _delete_=True)
        yield 'backbone.spatial_size', size
        yield 'cls_head.in_channels', 768
    elif kind == 'UniFormerV2':
        for key, value in SMALL_UNIFORMERV2.items():
            yield f'backbone.{key}', list(value) if isinstance(value, range) else value
        yield 'backbone.input_resolution', size
        yield 'cls_head.in_channels', 192
    elif kind == 'UniFormer':
        yield 'backbone.depth', [1, 1, 2, 1]
        yield 'backbone.img_size', size
    elif kind == 'VisionTransformer':
        yield 'backbone.depth', 2
        yield 'backbone.img_size', size
    elif kind == 'TimeSformer':
        yield 'backbone.num_transformer_layers', 2
        yield 'backbone.img_size', size
    elif kind == 'C3D':
        yield 'backbone.out_dim', 2048
    elif kind.startswith('timm.swin'):
        yield 'backbone.img_size', size


def _without_pretrained(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Weights to download, wherever they are named: all off."""
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        here = f'{path}.{key}' if path else key
        if key in ('pretrained', 'pretrained_type', 'channel_map') and value is not None:
            yield here, False if value is True else None
        elif key in ('pretrained2d', 'clip_pretrained') and value:
            yield here, False
        elif key == 'init_cfg' and isinstance(value, dict) and value.get('type') == 'Pretrained':
            yield here, dict(type='TruncNormal', layer='Linear', std=0.02, _delete_=True)
        else:
            yield from _without_pretrained(value, here)
    # Left out, these are on.
    if node.get('type') == 'UniFormerV2':
        yield f'{path}.clip_pretrained', False
    if node.get('type') in TAKE_2D_WEIGHTS:
        yield f'{path}.pretrained2d', False
