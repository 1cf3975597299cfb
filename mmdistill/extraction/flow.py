"""Optical flow of whole videos as u/v JPEGs in EPIC-KITCHENS' layout.

RESULT/u/frame_0000000001.jpg and RESULT/v/… hold the motion from frame 1 to frame 2 (1-based);
the last frame repeats the motion before it, so there are as many flow images as frames.
RESULT/flow.json says how they were made.
"""

import importlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from mmdistill.modalities.flow_encoding import DEFAULT_BOUND, encode_flow
from mmdistill.registry import FLOW_ESTIMATORS

from .jobs import Advance, Job, Process
from .video import read_frames

JPEG_QUALITY = 95
FRAMES_PER_UPDATE = 32
SETTINGS_FILE = 'flow.json'

# Two grey uint8 frames (H, W) to their motion (H, W, 2) in pixels.
FlowEstimator = Callable[[np.ndarray, np.ndarray], np.ndarray]


@FLOW_ESTIMATORS.register_module()
class DIS:
    """Dense inverse search, as OpenCV has it.

    Kroeger et al., *Fast Optical Flow using Dense Inverse Search*, ECCV 2016.
    https://arxiv.org/abs/1603.03590

    Args:
        preset: 'ultrafast', 'fast' or 'medium', from quick to exact.
    """

    PRESETS = {
        'ultrafast': cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
        'fast': cv2.DISOPTICAL_FLOW_PRESET_FAST,
        'medium': cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    }

    def __init__(self, preset: str = 'medium') -> None:
        if preset not in self.PRESETS:
            raise ValueError(f'DIS has the presets {sorted(self.PRESETS)}, got {preset!r}.')
        self._dis = cv2.DISOpticalFlow_create(self.PRESETS[preset])

    def __call__(self, prev_HW: np.ndarray, next_HW: np.ndarray) -> np.ndarray:
        """Motion from one grey uint8 image to the next: (H, W, 2) float32 pixels, x then y."""
        return self._dis.calc(np.ascontiguousarray(prev_HW), np.ascontiguousarray(next_HW), None)


@dataclass(frozen=True)
class FlowSettings:
    """How flow is computed and stored.

    Args:
        estimator: Config of a registered flow estimator.
        bound: Displacement in pixels that the largest code stands for.
        short_side: Frames are scaled so that their short side has so many pixels; 0 keeps them.
    """

    estimator: dict = field(default_factory=lambda: {'type': 'DIS'})
    bound: float = DEFAULT_BOUND
    short_side: int = 0

    def __post_init__(self) -> None:
        if not self.bound > 0 or self.short_side < 0:
            raise ValueError(
                'The bound of the flow must be a positive number of pixels and the short side 0 or '
                f'more, got {self.bound} and {self.short_side}.'
            )


def set_up_flow(settings: FlowSettings, modules: Sequence[str], worker: int) -> Process:
    """Prepare a worker (bind all but `worker` and it is a `jobs.Setup`).

    Args:
        modules: To import first, because they register the estimator.

    Raises:
        KeyError, ValueError, TypeError: If there is no such estimator, or not with these options.
    """
    cv2.setNumThreads(1)
    for module in modules:
        importlib.import_module(module)
    return partial(extract_flow, settings, FLOW_ESTIMATORS.build(dict(settings.estimator)))


def extract_flow(
    settings: FlowSettings, estimate: FlowEstimator, job: Job, advance: Advance
) -> None:
    """Write the flow images of one video; the folder `job.result` appears when it is complete.

    Raises:
        VideoError: If the video cannot be read to its end.
        OSError: If an image cannot be written.
    """
    shutil.rmtree(job.partial, ignore_errors=True)
    for name in 'uv':
        (job.partial / name).mkdir(parents=True)
    previous, encoded_HW2, number = None, None, 0
    for index, frame in read_frames(job.path):
        grey = _grey(frame, settings.short_side)
        if previous is not None:
            encoded_HW2 = encode_flow(estimate(previous, grey), settings.bound)
            number = index
            _write(job.partial, number, encoded_HW2)
        previous = grey
        if index % FRAMES_PER_UPDATE == FRAMES_PER_UPDATE - 1:
            advance(FRAMES_PER_UPDATE)
    if encoded_HW2 is None:
        encoded_HW2 = encode_flow(np.zeros((*previous.shape, 2)), settings.bound)
    _write(job.partial, number + 1, encoded_HW2)
    (job.partial / SETTINGS_FILE).write_text(json.dumps(asdict(settings), sort_keys=True))
    job.partial.rename(job.result)


def check_earlier_results(settings: FlowSettings, jobs: list[Job]) -> None:
    """Refuse to mix flow of different settings in one data set.

    Raises:
        ValueError: If a job's result was made in another way.
    """
    wanted = json.loads(json.dumps(asdict(settings)))
    for job in jobs:
        if not job.result.exists():
            continue
        file = job.result / SETTINGS_FILE
        came = json.loads(file.read_text()) if file.is_file() else 'something unknown'
        if came != wanted:
            raise ValueError(
                f'{job.result} was made with {came}, now {wanted} is asked for. '
                'Pass --overwrite to make it again, or choose another --out-template.'
            )


def _grey(frame_HW3: np.ndarray, short_side: int) -> np.ndarray:
    grey = cv2.cvtColor(frame_HW3, cv2.COLOR_BGR2GRAY)
    if not short_side or min(grey.shape) == short_side:
        return grey
    scale = short_side / min(grey.shape)
    height, width = (round(side * scale) for side in grey.shape)
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)


def _write(folder: Path, number: int, encoded_HW2: np.ndarray) -> None:
    for channel, name in enumerate('uv'):
        path = folder / name / f'frame_{number:010d}.jpg'
        # imencode and write: cv2.imwrite does not tell a full disk from success.
        _, data = cv2.imencode(
            '.jpg', encoded_HW2[..., channel], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        )
        path.write_bytes(data.tobytes())
