"""Builds the models of a report and measures what an answer of each costs."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from ..extraction import DIS
from ..modalities import RGBModality
from ..models.detector import FrameDetector
from ..models.teacher import MultimodalTeacher
from ..registry import DATASETS, MODELS
from .cost import Cost, detector_cost, flow_cost, frames_read, model_cost


def row_cost(
    cfg: Config, reads: tuple[str, ...], detector: FrameDetector, repeats: int = 25
) -> Cost:
    """Cost of one test clip: the network, and the extraction of what it reads beside RGB.

    Args:
        cfg: Config of the model, with its test data set.
        reads: The modalities that enter the network.
        detector: Makes the boxes of `obj`.
        repeats: Number of latency measurements.
    """
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    model = MODELS.build(cfg.model)
    if isinstance(model, MultimodalTeacher):
        _fit_on_nothing(model)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    item, record = dataset[0], dataset.load_record(0)
    cost = model_cost(model, item, repeats)
    for modality in reads:
        if modality in ('obj', 'flow'):
            inputs = item['inputs']
            inputs = inputs[modality] if isinstance(inputs, dict) else inputs
            num_frames = frames_read(inputs, modality)
            cost = cost.plus(_extraction_cost(modality, record, num_frames, detector, repeats))
    return cost


def _extraction_cost(
    modality: str, record: dict[str, Any], num_frames: int, detector: FrameDetector, repeats: int
) -> Cost:
    """Cost of computing `num_frames` frames of a modality from decoded RGB frames."""
    last = record['stop_frame'] - 1
    wanted = record['start_frame'] + np.arange(num_frames + 1)
    frames = RGBModality().read(record, np.minimum(wanted, last))
    if modality == 'obj':
        return detector_cost(detector, frames[:num_frames], repeats)
    grays = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])
    return flow_cost(DIS(), grays, repeats)


def _fit_on_nothing(teacher: MultimodalTeacher) -> None:
    # Which weights the experts get does not change what the teacher costs.
    num_experts = len(teacher.experts)
    logits = {task: torch.zeros(1, num_experts, k) for task, k in teacher.num_classes.items()}
    teacher.fit_weighting(logits, {task: torch.zeros(1, dtype=torch.long) for task in logits})


def machine_name() -> str:
    """Processor and number of threads, for the line below the table."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    info = Path('/proc/cpuinfo')
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    threads = torch.get_num_threads()
    return f'{names[0] if names else "CPU"}, {threads} thread{"s" if threads > 1 else ""}'
