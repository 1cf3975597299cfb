"""Run a frozen mmdet detector over videos: which frames, which settings, one part per video."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmdistill.modalities.video_detections import VideoDetections, check_video
from mmdistill.models.detector import FrameDetections, FrameDetector

from ..config_tools import config_of
from ..files import file_sha256
from ..ranges import FRACTION, ONE_OR_MORE
from ..video import VideoError, index_video, read_frames
from .detection_output import Output, manifest_of, write_part
from .jobs import Advance, Job, Process, length_of


@dataclass(frozen=True)
class DetectionSettings:
    """Which detector runs on which frames, and what is kept.

    Args:
        config: An mmdet config.
        checkpoint: Its weights.
        stride: Every so many frames are processed.
        score_thr: Boxes below are dropped.
        max_boxes: Only that many of the best boxes of a frame are kept.
        roi_features: Also store a feature per box, pooled from the detector's neck.
    """

    config: str
    checkpoint: str
    stride: int = 2
    score_thr: float = 0.05
    max_boxes: int = 10
    roi_features: bool = False

    def __post_init__(self) -> None:
        ONE_OR_MORE.check(stride=self.stride, max_boxes=self.max_boxes)
        FRACTION.check(score_thr=self.score_thr)

    def fingerprint(self) -> dict[str, Any]:
        """Everything that the detections depend on, as JSON; paths do not count, contents do."""
        cfg = config_of(self.config, 'detector config')
        relevant = {'model': cfg.model, 'test_pipeline': cfg.get('test_dataloader')}
        if 'test_dataloader' in cfg:
            relevant['test_pipeline'] = cfg.test_dataloader.dataset.get('pipeline')
        text = json.dumps(relevant, sort_keys=True, default=str)
        return {
            'detector_sha256': hashlib.sha256(text.encode()).hexdigest(),
            'checkpoint_sha256': file_sha256(self.checkpoint),
            'stride': self.stride,
            'score_thr': self.score_thr,
            'max_boxes': self.max_boxes,
            'roi_features': self.roi_features,
        }


@dataclass(frozen=True, eq=False)
class DetectionJob(Job):
    """A video and its frames to process (0-based, increasing), of so many; makes a part."""

    frames_F: Sequence[int] = ()
    num_frames: int = 0

    @property
    def manifest(self) -> Path:
        """Beside the file that the parts are for."""
        return manifest_of(self.result.parent)


def frames_in_segments(segments: Iterable[tuple[int, int]], stride: int) -> np.ndarray:
    """Every `stride`-th frame of a video that lies in a segment (start, stop exclusive).

    The grid is the video's, so overlapping segments share frames; a segment too short for the grid
    gets its first frame. So no frame of a segment is further than `stride` from a processed one.
    """
    wanted: set[int] = set()
    for start, stop in segments:
        wanted.update(range(-(-start // stride) * stride, stop, stride) or [start])
    return np.array(sorted(wanted), dtype=np.int64)


def make_job(
    name: str, path: Path, segments: list[tuple[int, int]] | None, stride: int, out: Output
) -> DetectionJob:
    """The job of one video.

    Args:
        segments: (start, stop exclusive) in frames; None is the whole video.
    """
    num_frames, seconds = length_of(path)
    if segments is None:
        segments = [(0, num_frames)]
    # An annotation may end after its video. One that begins there is an error: its job reports it.
    inside = [(start, min(stop, max(num_frames, start + 1))) for start, stop in segments]
    frames_F = frames_in_segments(inside, stride)
    done = out.holds(name, frames_F)
    return DetectionJob(
        name, path, out.part(name), len(frames_F), seconds, done, frames_F, num_frames
    )


def set_up_detections(
    settings: DetectionSettings, device: str, batch_size: int, threads: int, worker: int
) -> Process:
    """Prepare a worker (bind all but `worker` and it is a `jobs.Setup`).

    Args:
        device: 'cuda' deals the GPUs of the machine out to the workers.
        batch_size: Frames per forward pass.
        threads: At most so many of torch's per worker.
    """
    torch.set_num_threads(min(threads, torch.get_num_threads()))
    if device == 'cuda':
        device = f'cuda:{worker % torch.cuda.device_count()}'
    detector = FrameDetector(
        settings.config,
        settings.checkpoint,
        settings.score_thr,
        settings.max_boxes,
        settings.roi_features,
        batch_size,
        device,
    )
    return partial(extract_detections, detector, settings.stride, settings.fingerprint())


def extract_detections(
    detector: FrameDetector,
    stride: int,
    fingerprint: dict[str, Any],
    job: DetectionJob,
    advance: Advance,
) -> None:
    """Write the detections of one video; the file `job.result` appears when it is complete.

    Args:
        fingerprint: `DetectionSettings.fingerprint()`, for the manifest.

    Raises:
        VideoError: If a frame cannot be read, or the detector finds what is no box.
    """
    index = index_video(job.path)
    found: list[FrameDetections] = []
    pictures = read_frames(job.path, job.frames_F, 'rgb24')
    frames = (np.ascontiguousarray(picture) for _, picture in pictures)
    while batch := list(islice(frames, detector.batch_size)):
        found += detector.detect(batch)
        advance(len(batch))
    counts = [len(one.scores_N) for one in found]
    video = VideoDetections(
        *index.size,
        index.num_frames,
        stride,
        np.asarray(job.frames_F, dtype=np.int32),
        np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        _join([one.boxes_N4 for one in found], (0, 4), np.float32),
        _join([one.scores_N for one in found], (0,), np.float32),
        _join([one.labels_N for one in found], (0,), np.int16),
    )
    if detector.roi_features:
        video = video._replace(
            features_MD=_join([one.features_ND for one in found], (0, 0), np.float16)
        )
    try:
        check_video(video, len(detector.classes), f'The detector in {job.path}')
    except ValueError as error:
        raise VideoError(str(error)) from error
    write_part(job, video, fingerprint)


def _join(arrays: list[np.ndarray], empty: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.concatenate(arrays or [np.zeros(empty)]).astype(dtype)


def config_json(path: str) -> str:
    """The whole config with its bases, to be kept beside what it made."""
    return json.dumps(config_of(path, 'detector config').to_dict(), default=str)
