"""Builds the models of a report and measures what an answer of each costs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from ..datasets.transforms import named_steps
from ..extraction import DIS
from ..modalities import RGBModality
from ..models.teacher import MultimodalTeacher
from ..registry import DATASETS, MODELS
from ..video import index_video
from .cost import Cost, detector_cost, flow_cost, frames_read, model_cost, throughput

if TYPE_CHECKING:
    from ..models.detector import FrameDetector

NETWORK = 'network'


class TestedModel(NamedTuple):
    """A model and one clip of its test set, ready to be measured."""

    network: nn.Module
    item: dict[str, Any]
    record: dict[str, Any]
    reads: tuple[str, ...]  # the modalities that enter the network

    def inputs(self, modality: str) -> Tensor:
        """What the network reads of a modality."""
        inputs = self.item['inputs']
        return inputs[modality] if isinstance(inputs, dict) else inputs


class ModelCost(NamedTuple):
    """What an answer of a model costs, and what makes it so."""

    parts: dict[str, Cost]  # `network`, and the extraction of a modality under its name
    throughput: dict[int, float | None]  # batch size to clips per second, network alone
    frames: dict[str, int]  # modality to frames of a clip, all views together
    rates: dict[str, float]  # modality to frames per second of video, where that is known

    @property
    def total(self) -> Cost:
        """Network and extraction, one after the other."""
        return total_cost(self.parts)

    def as_dict(self) -> dict[str, Any]:
        """The total and its parts, as they are written to JSON."""
        parts = {name: part._asdict() for name, part in self.parts.items()}
        details = dict(throughput=self.throughput, frames=self.frames, rates=self.rates)
        return self.total._asdict() | dict(parts=parts, **details)


def measure_model(
    cfg: Config,
    detector: 'FrameDetector | None',
    repeats: int = 25,
    batch_sizes: Sequence[int] = (),
    reads: Sequence[str] = (),
) -> ModelCost:
    """Cost of one test clip: the network, and the extraction of what it reads beside RGB.

    Args:
        cfg: Config of the model, with its test data set.
        detector: Makes the boxes of `obj`.
        repeats: Number of latency measurements.
        batch_sizes: Clips at a time for which the throughput is measured.
        reads: The modalities that enter the network, where the pipeline does not say so.

    Raises:
        ValueError: The model reads boxes and there is no detector.
    """
    tested = build_tested(cfg, tuple(reads) or modalities_read(cfg))
    return ModelCost(
        parts=cost_parts(tested, detector, repeats),
        throughput=throughput(tested.network, tested.item, batch_sizes),
        frames={key: frames_read(tested.inputs(key), key) for key in tested.reads},
        rates=sampling_rates(cfg, tested),
    )


def without_weights(cfg: Config) -> Config:
    """What a model costs does not depend on its weights: experts need no checkpoints."""
    for expert in (cfg.model.get('experts') or {}).values():
        expert['checkpoint'] = None
    return cfg


def modalities_read(cfg: Config) -> tuple[str, ...]:
    """The modalities that the test pipeline loads; stock pipelines load `rgb`."""
    for step in named_steps(cfg.test_dataloader.dataset.pipeline):
        if 'modalities' in step:
            inputs = step.get('inputs') or tuple(step['modalities'])
            return (inputs,) if isinstance(inputs, str) else tuple(inputs)
    return ('rgb',)


def build_tested(cfg: Config, reads: tuple[str, ...]) -> TestedModel:
    """Build a model and load the first clip of its test set."""
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    model = MODELS.build(cfg.model).to(get_device())
    if isinstance(model, MultimodalTeacher):
        _fit_on_nothing(model)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    # A data set of MMAction2's own has no records; its clips cost what they cost.
    record = dataset.load_record(0) if hasattr(dataset, 'load_record') else {}
    return TestedModel(model, dataset[0], record, reads)


def cost_parts(
    tested: TestedModel, detector: 'FrameDetector | None', repeats: int = 25
) -> dict[str, Cost]:
    """Cost of the network, and of the extraction of flow and boxes if it reads them."""
    parts = {NETWORK: model_cost(tested.network, tested.item, repeats)}
    for modality in tested.reads:
        if modality in ('obj', 'flow'):
            num_frames = frames_read(tested.inputs(modality), modality)
            parts[modality] = _extraction_cost(
                modality, tested.record, num_frames, detector, repeats
            )
    return parts


def total_cost(parts: dict[str, Cost]) -> Cost:
    """The parts one after the other."""
    total = Cost()
    for part in parts.values():
        total = total.plus(part)
    return total


def sampling_rates(cfg: Config, tested: TestedModel) -> dict[str, float]:
    """Frames per second of video that each modality is read at; {} where that is not known.

    A 3D recognizer's clip spans clip_len x frame_interval frames; a 2D one's frames are spread
    over the whole segment.
    """
    fps = video_fps(tested.record)
    if fps is None:
        return {}
    steps = named_steps(cfg.test_dataloader.dataset.pipeline)
    sample = next((step for step in steps if 'clip_len' in step), None)
    segment = tested.record['stop_frame'] - tested.record['start_frame']
    one_clip = sample is not None and sample['clip_len'] > 1
    span = sample['clip_len'] * sample.get('frame_interval', 1) if one_clip else segment
    rates = {}
    for key in tested.reads:
        inputs = tested.inputs(key)
        views = inputs.shape[0] if one_clip else 1
        rates[key] = frames_read(inputs, key) / views * fps / span
    return rates


def video_fps(record: dict[str, Any]) -> float | None:
    """Frames per second of a clip's video; None where its frames are single images."""
    if record.get('avg_fps'):
        return float(record['avg_fps'])
    path = Path(record.get('media', {}).get('rgb', ''))
    if not path.is_file():
        return None
    return index_video(path).frames_per_second


def _extraction_cost(
    modality: str,
    record: dict[str, Any],
    num_frames: int,
    detector: 'FrameDetector | None',
    repeats: int,
) -> Cost:
    """Cost of computing `num_frames` frames of a modality from decoded RGB frames."""
    last = record['stop_frame'] - 1
    wanted = record['start_frame'] + np.arange(num_frames + 1)
    frames = RGBModality().read(record, np.minimum(wanted, last))
    if modality == 'flow':
        grays = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])
        return flow_cost(DIS(), grays, repeats)
    if detector is None:
        raise ValueError(
            'The model reads boxes, and the detector that makes them is part of its cost: give '
            'its config and checkpoint.'
        )
    return detector_cost(detector.to(get_device()), frames[:num_frames], repeats)


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
