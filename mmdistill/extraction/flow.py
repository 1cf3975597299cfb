"""Optical flow of whole videos as u/v JPEGs in EPIC-KITCHENS' layout.

RESULT/u/frame_0000000001.jpg and RESULT/v/… hold the motion from frame 1 to frame 2 (1-based);
the last frame repeats the motion before it, so there are as many flow images as frames.
RESULT/flow.json says how they were made.
"""

import importlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmdistill.files import file_sha256, read_json
from mmdistill.modalities.flow_encoding import DEFAULT_BOUND, encode_flow
from mmdistill.ranges import COUNT, POSITIVE
from mmdistill.registry import FLOW_ESTIMATORS
from mmdistill.video import read_frames

from .flow_estimators import FlowEstimator
from .jobs import Advance, Job, Process
from .manifest import check_settings, record

JPEG_QUALITY = 95
FRAMES_PER_UPDATE = 32
SETTINGS_FILE = 'flow.json'
DAMAGED = 'move the result away, so that it is made again'


@dataclass(frozen=True)
class FlowSettings:
    """How flow is computed and stored.

    Args:
        estimator: Config of a registered flow estimator.
        bound: Displacement in pixels that the largest code stands for.
        short_side: Frames are scaled so that their short side has so many pixels; 0 keeps them.
    """

    estimator: dict[str, Any] = field(default_factory=lambda: {'type': 'DIS'})
    bound: float = DEFAULT_BOUND
    short_side: int = 0

    def __post_init__(self) -> None:
        POSITIVE.check(bound=self.bound)
        COUNT.check(short_side=self.short_side)

    def fingerprint(self) -> dict[str, Any]:
        """Everything that the flow depends on, as JSON: weights by content, the device not."""
        estimator = {key: value for key, value in self.estimator.items() if key != 'device'}
        if Path(str(estimator.get('weights', ''))).is_file():
            estimator['weights'] = f'sha256:{file_sha256(estimator["weights"])}'
        return dict(estimator=estimator, bound=self.bound, short_side=self.short_side)


def set_up_flow(settings: FlowSettings, modules: Sequence[str], worker: int) -> Process:
    """Prepare a worker (bind all but `worker` and it is a `jobs.Setup`).

    Args:
        modules: To import first, because they register the estimator.

    Raises:
        KeyError, ValueError, TypeError: If there is no such estimator, or not with these options.
        ImportError: If a package that it needs is not installed.
    """
    cv2.setNumThreads(1)
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ImportError(
                f'{module} cannot be imported ({error}): correct --import.'
            ) from error
    try:
        estimator = FLOW_ESTIMATORS.build(dict(settings.estimator))
    except TypeError as error:
        name = settings.estimator['type']
        raise TypeError(f'The flow estimator {name} cannot be built ({error}).') from error
    if hasattr(estimator, 'prepare'):
        estimator.prepare(worker)
    return partial(extract_flow, settings, estimator)


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
    previous, encoded_HW2, number, num_bytes = None, None, 0, 0
    for index, frame in read_frames(job.path):
        current = _prepared(frame, settings.short_side, getattr(estimate, 'colour', False))
        if previous is not None:
            encoded_HW2 = encode_flow(estimate(previous, current), settings.bound)
            number = index
            num_bytes += _write(job.partial, number, encoded_HW2)
        previous = current
        if index % FRAMES_PER_UPDATE == FRAMES_PER_UPDATE - 1:
            advance(FRAMES_PER_UPDATE)
    if encoded_HW2 is None:
        encoded_HW2 = encode_flow(np.zeros((*previous.shape[:2], 2)), settings.bound)
    num_bytes += _write(job.partial, number + 1, encoded_HW2)
    fingerprint = settings.fingerprint()
    (job.partial / SETTINGS_FILE).write_text(json.dumps(fingerprint, sort_keys=True))
    record(job, fingerprint, number + 1, num_bytes)
    job.put_in_place()


def check_earlier_results(settings: FlowSettings, jobs: list[Job]) -> None:
    """Refuse to mix flow of different settings in one data set.

    Raises:
        ValueError: If a job's result was made in another way.
    """
    wanted = settings.fingerprint()
    for job in jobs:
        if job.result.exists():
            file = job.result / SETTINGS_FILE
            came = read_json(file, dict, DAMAGED) if file.is_file() else None
            check_settings(job.result, came, wanted)


def _prepared(frame_HW3: np.ndarray, short_side: int, colour: bool) -> np.ndarray:
    image = cv2.cvtColor(frame_HW3, cv2.COLOR_BGR2RGB if colour else cv2.COLOR_BGR2GRAY)
    shape = image.shape[:2]
    if not short_side or min(shape) == short_side:
        return image
    height, width = (round(side * short_side / min(shape)) for side in shape)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _write(folder: Path, number: int, encoded_HW2: np.ndarray) -> int:
    """Write the two images of a frame; returns their bytes."""
    written = 0
    for channel, name in enumerate('uv'):
        path = folder / name / f'frame_{number:010d}.jpg'
        # imencode and write: cv2.imwrite does not tell a full disk from success.
        _, data = cv2.imencode(
            '.jpg', encoded_HW2[..., channel], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        )
        written += path.write_bytes(data.tobytes())
    return written
