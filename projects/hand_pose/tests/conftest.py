"""What the project's tests share: a fixed seed, and a recording whose every number is known."""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

import projects.hand_pose.hand_pose  # noqa: F401  (registers the modality)
import projects.hand_pose.keypoint_transformer  # noqa: F401  (registers the expert's backbone)

KEYPOINTS = ('wrist', 'thumb')
FPS = 10.0


@pytest.fixture(autouse=True)
def _fixed_seed():
    torch.manual_seed(0)
    np.random.seed(0)
    torch.set_num_threads(1)
    init_default_scope('mmaction')


def write_csv(path, seconds, points, names=KEYPOINTS):
    """A file as the sensor writes it; `points` (S, J, 2)."""
    header = ','.join(['time_seconds', *(f'{name}_{axis}' for name in names for axis in 'xy')])
    rows = np.column_stack([seconds, points.reshape(len(points), -1)])
    np.savetxt(path, rows, '%.6f', delimiter=',', header=header, comments='')


@pytest.fixture
def record(tmp_path):
    """A clip whose wrist goes to the right by 0.1 per second, from 0.1, and whose thumb rests."""
    seconds = np.arange(0, 3, 1 / 40)
    wrist = np.column_stack([0.1 + 0.1 * seconds, np.full_like(seconds, 0.9)])
    thumb = np.tile([0.4, 0.55], (len(seconds), 1))
    write_csv(tmp_path / 'video.csv', seconds, np.stack([wrist, thumb], axis=1))
    return dict(
        sample_id='clip',
        video_id='video',
        media=dict(hand_pose=str(tmp_path / 'video.csv')),
        frame_inds=np.arange(4, 12, 2),
        num_clips=1,
        clip_len=4,
        avg_fps=FPS,
    )
