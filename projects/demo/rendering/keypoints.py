"""A sensor on the demo's hand: its keypoints over time, at a rate of its own, one CSV per video.

    time_seconds,wrist_x,wrist_y,thumb_x,…
    0.0000,0.4870,0.9312,0.4013,…

Times are the video's: frame i is shown at i / fps. Coordinates are fractions of the frame's width
and height, camera motion included, so they move with the pixels; beyond 0..1 is beyond the frame.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .hand import KEYPOINTS
from .parameters import DemoParameters
from .scene import Request, Scene

COLUMNS = ('time_seconds', *(f'{name}_{axis}' for name in KEYPOINTS for axis in 'xy'))


def sense_hand(clip: Request, scene: Scene, first: int, params: DemoParameters) -> NDArray:
    """What the sensor reports of one clip, rows (S, 11) of `COLUMNS`.

    Args:
        first: The clip's first frame in the video, counted from 0.
    """
    per_frame = params.keypoint_rate / params.fps
    stop = first + clip.frames + clip.still
    samples = np.arange(np.ceil(first * per_frame), np.ceil(stop * per_frame))
    points = scene.keypoints(samples / per_frame - first)
    # A stream of its own, beside those of the scene: no pixel depends on the sensor.
    noise = np.random.default_rng((*clip.entropy, 4)).standard_normal(points.shape)
    points += noise * params.keypoint_noise * scene.size[1] / scene.size
    return np.column_stack((samples / params.keypoint_rate, points.reshape(len(samples), -1)))


def write_keypoints(path: Path, clips: list[NDArray]) -> None:
    """Write the rows of a video's clips, which follow each other without a gap."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = ','.join(COLUMNS)
    np.savetxt(path, np.concatenate(clips), '%.4f', delimiter=',', header=header, comments='')
