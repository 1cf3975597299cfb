"""A frozen mmdet detector that turns RGB frames into boxes, scores, labels and ROI features.

The only place where frames become detections: extraction to files and the live
`DetectorBackbone` both call `FrameDetector.detect`, so that they cannot disagree.
Shape legend: N boxes of a frame, M boxes of a batch, D numbers of an ROI feature.
"""

import copy
import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmcv.ops import roi_align
from mmcv.transforms import Compose
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.registry import TRANSFORMS as MMDET_TRANSFORMS
from mmdet.utils import get_test_pipeline_cfg
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.model import revert_sync_batchnorm
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ..checkpoints import CheckpointError, load_weights, read_checkpoint, weights_of
from ..config_tools import config_of
from ..files import find_file
from ..ranges import FRACTION, ONE_OR_MORE

Frame = np.ndarray | Tensor
ROI_SIZE = 7


class FrameDetections(NamedTuple):
    """What the detector saw in one frame, best score first."""

    boxes_N4: np.ndarray  # float32, x1 y1 x2 y2 in pixels of the frame that came in
    scores_N: np.ndarray  # float32, in [0, 1]
    labels_N: np.ndarray  # int64, index into `FrameDetector.classes`
    features_ND: np.ndarray | None  # float16, None unless asked for


class FrameDetector:
    """Build an mmdet detector from its own config and checkpoint, and run it frozen.

    It is deliberately no `nn.Module`: a model that holds one neither trains, saves, moves nor
    re-initialises it, and a copy of that model (as EMA makes) shares it.

    Args:
        config: Path of an mmdet config, `mmdet::rtmdet/...`, or the config itself as a dict with
            `model` and, where frames are to be resized, `test_dataloader`.
        checkpoint: Weights; None leaves them random, which serves only tests and cost estimates.
        score_thr: Boxes below are dropped.
        max_boxes: Only that many of the best boxes of a frame are kept.
        roi_features: Also pool a feature per box from the neck (7 x 7 RoIAlign, then the mean).
        batch_size: Frames per forward pass.
        device: Where the detector runs; `to` moves it.

    Raises:
        FileNotFoundError: There is no such config or checkpoint.
        ValueError: The checkpoint does not fit the config.
    """

    def __init__(
        self,
        config: str | Path | dict[str, Any],
        checkpoint: str | Path | None,
        score_thr: float = 0.05,
        max_boxes: int = 10,
        roi_features: bool = False,
        batch_size: int = 16,
        device: str | torch.device = 'cpu',
    ) -> None:
        FRACTION.check(score_thr=score_thr)
        ONE_OR_MORE.check(max_boxes=max_boxes, batch_size=batch_size)
        cfg = _load_config(config)
        self.score_thr = score_thr
        self.max_boxes = max_boxes
        self.roi_features = roi_features
        self.batch_size = batch_size
        self.model = revert_sync_batchnorm(MMDET_MODELS.build(_in_mmdet_scope(cfg.model)))
        meta = _load_weights(self.model, checkpoint)
        self.model.requires_grad_(False).eval()
        self.classes = _class_names(cfg, meta, self.model)
        self.pipeline = _test_pipeline(cfg)
        self.device = torch.device('cpu')
        self.to(device)

    def __deepcopy__(self, memo: dict[str, Any]) -> 'FrameDetector':
        return self

    def to(self, device: str | torch.device) -> 'FrameDetector':
        """Move the detector; does nothing where it is there already."""
        device = torch.device(device)
        if device != self.device:
            self.model.to(device)
            self.device = device
        return self

    @torch.no_grad()
    def detect(self, frames: Sequence[Frame] | Frame) -> list[FrameDetections]:
        """Detect in RGB frames: a (B, H, W, 3) uint8 array or tensor, or a sequence of (H, W, 3).

        Every frame goes through the test pipeline of the detector's own config. Boxes come back
        in pixels of the frames as given.
        """
        found: list[FrameDetections] = []
        for first in range(0, len(frames), self.batch_size):
            found += self._detect_batch(frames[first : first + self.batch_size])
        return found

    def _detect_batch(self, frames: Sequence[Frame]) -> list[FrameDetections]:
        packed = [self.pipeline({'img': _to_bgr(frame), 'img_id': 0}) for frame in frames]
        batch = {key: [item[key] for item in packed] for key in ('inputs', 'data_samples')}
        source = getattr(self.model, 'neck', None) or self.model.backbone
        # A recognizer may train under autocast; boxes must not depend on that.
        with torch.autocast(self.device.type, enabled=False), _output_of(source) as outputs:
            samples = self.model.test_step(batch)
        kept = [self._best(sample.pred_instances, sample.ori_shape) for sample in samples]
        features: Sequence[Tensor | None] = [None] * len(kept)
        if self.roi_features:
            features = _pool_per_frame(outputs[0], [boxes for boxes, _, _ in kept], samples)
        return [
            FrameDetections(
                boxes.float().cpu().numpy(),
                scores.float().cpu().numpy(),
                labels.long().cpu().numpy(),
                None if feature is None else feature.half().cpu().numpy(),
            )
            for (boxes, scores, labels), feature in zip(kept, features, strict=True)
        ]

    def _best(
        self, instances: InstanceData, frame_shape: tuple[int, int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        height, width = frame_shape
        # mmdet clips to the padded input, so boxes may reach over the frame or lie beside it.
        limits = instances.bboxes.new_tensor([width, height, width, height])
        boxes = instances.bboxes.clamp(min=0).minimum(limits)
        visible = (boxes[:, 2:] > boxes[:, :2]).all(dim=1) & (instances.scores >= self.score_thr)
        scores, order = instances.scores[visible].sort(descending=True, stable=True)
        order = order[: self.max_boxes]
        return boxes[visible][order], scores[: self.max_boxes], instances.labels[visible][order]


def pool_roi_features(levels: Sequence[Tensor], boxes_M5: Tensor, input_width: int) -> Tensor:
    """Average a 7 x 7 RoIAlign of each box from the feature level that fits its size.

    The level rule is that of Lin et al., *Feature Pyramid Networks*, 2017, eq. 1.

    Args:
        levels: Feature maps (B, D, h, w), finest first.
        boxes_M5: Index into B, then x1 y1 x2 y2 in pixels of the network's input.
        input_width: Width of that input in pixels.

    Returns:
        (M, D) features.
    """
    channels = {level.shape[1] for level in levels}
    if len(channels) != 1:
        raise ValueError(
            f'ROI features need feature levels of equal channels, got {sorted(channels)}; '
            'use a detector whose neck has one out_channels, or roi_features=False.'
        )
    strides = [2 ** round(math.log2(input_width / level.shape[-1])) for level in levels]
    sides_M = (boxes_M5[:, 3:] - boxes_M5[:, 1:3]).prod(dim=1).clamp(min=0).sqrt()
    # A box covers about 14 x 14 cells or more of its level; mmdet's extractor does the same.
    wanted_M = torch.log2(sides_M / (14 * strides[0]) + 1e-6).floor().clamp(0, len(levels) - 1)
    pooled_MD = boxes_M5.new_zeros(len(boxes_M5), channels.pop())
    for index, (level, stride) in enumerate(zip(levels, strides, strict=True)):
        mine = wanted_M == index
        if mine.any():
            aligned = roi_align(level.float(), boxes_M5[mine], ROI_SIZE, 1 / stride)
            pooled_MD[mine] = aligned.mean(dim=(2, 3))
    return pooled_MD


def _pool_per_frame(
    levels: Sequence[Tensor], boxes: list[Tensor], samples: list[Any]
) -> list[Tensor]:
    rows = []
    for index, (boxes_N4, sample) in enumerate(zip(boxes, samples, strict=True)):
        scale = boxes_N4.new_tensor(sample.metainfo.get('scale_factor', (1.0, 1.0))).repeat(2)
        rows.append(torch.cat([boxes_N4.new_full((len(boxes_N4), 1), index), boxes_N4 * scale], 1))
    input_width = samples[0].metainfo['batch_input_shape'][1]
    pooled_MD = pool_roi_features(levels, torch.cat(rows), input_width)
    return list(pooled_MD.split([len(row) for row in rows]))


@contextmanager
def _output_of(module: nn.Module) -> Iterator[list[Any]]:
    """Collect what `module` returns inside the block.

    mmdet's `predict` hands out no feature maps; asking for them apart would run the network twice.
    """
    outputs: list[Any] = []
    handle = module.register_forward_hook(lambda module, args, output: outputs.append(output))
    try:
        yield outputs
    finally:
        handle.remove()


def _to_bgr(frame: Frame) -> np.ndarray:
    """mmdet's images are BGR, as OpenCV reads them; its data preprocessor takes it from there."""
    array = frame.cpu().numpy() if isinstance(frame, Tensor) else frame
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8:
        raise ValueError(
            f'A detector takes RGB frames of shape (H, W, 3) and dtype uint8, got {array.shape} '
            f'{array.dtype}.'
        )
    return np.ascontiguousarray(array[..., ::-1])


def _load_config(config: str | Path | dict[str, Any]) -> Config:
    if isinstance(config, Config):
        return config
    if isinstance(config, dict):
        return Config(copy.deepcopy(dict(config)))
    return config_of(config, 'detector config')


def _in_mmdet_scope(cfg: dict[str, Any]) -> dict[str, Any]:
    # A prefix on `type` would name only the outermost part; the scope reaches its whole subtree.
    return {'_scope_': 'mmdet', **copy.deepcopy(cfg)}


def _test_pipeline(cfg: Config) -> Compose:
    """The config's test pipeline, fed with an array and without annotations."""
    steps = [{'type': 'Resize', 'scale_factor': 1.0}, {'type': 'PackDetInputs'}]
    if 'test_dataloader' in cfg:
        steps = get_test_pipeline_cfg(cfg)
    kept = [step for step in steps if not step['type'].rpartition('.')[2].startswith('Load')]
    to_float32 = any(step.get('to_float32', False) for step in steps)
    kept = [{'type': 'LoadImageFromNDArray', 'to_float32': to_float32}, *kept]
    return Compose([MMDET_TRANSFORMS.build(_in_mmdet_scope(step)) for step in kept])


def _load_weights(model: nn.Module, checkpoint: str | Path | None) -> dict[str, Any]:
    """Load a checkpoint into the detector and return its meta data."""
    if checkpoint is None:
        print_log(
            'The detector has random weights: no checkpoint given.', 'current', logging.WARNING
        )
        return {}
    advice = 'train one with mmdistill train and a config from configs/detectors'
    path = find_file(checkpoint, 'detector checkpoint', advice)
    content = read_checkpoint(path)
    match = load_weights(model, weights_of(content, path))
    # Published checkpoints still hold the preprocessor's mean and std, which are config now.
    unexpected = [key for key in match.unexpected if not key.startswith('data_preprocessor.')]
    match = match._replace(unexpected=unexpected)
    if not match.complete:
        raise CheckpointError(
            f'{path} does not fit the detector config: {match}. Give the config that the '
            'checkpoint was trained with.'
        )
    meta = content.get('meta')
    return meta if isinstance(meta, dict) else {}


def _class_names(cfg: Config, checkpoint_meta: dict[str, Any], model: nn.Module) -> list[str]:
    """Names from the checkpoint, else from the config's test data set, else the label numbers."""
    dataset = cfg.get('test_dataloader', {}).get('dataset', {})
    for meta in (checkpoint_meta.get('dataset_meta'), dataset.get('metainfo')):
        names = {key.lower(): value for key, value in (meta or {}).items()}.get('classes')
        if names is not None:
            return [names] if isinstance(names, str) else list(names)
    head = getattr(model, 'bbox_head', None) or model.roi_head.bbox_head
    head = head[-1] if isinstance(head, nn.ModuleList) else head
    return [str(label) for label in range(head.num_classes)]
