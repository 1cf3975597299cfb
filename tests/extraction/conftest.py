"""Small videos for extraction: a texture that slides, one more pixel per video and frame."""

from pathlib import Path

import cv2
import numpy as np
import pytest


def texture(height: int = 120, width: int = 200) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX)


@pytest.fixture(scope='session')
def make_video():
    """Write a video of 64 x 48 pixels whose content moves `speed` pixels to the right per frame."""

    def make(path: Path, num_frames: int = 12, speed: int = 1) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10, (64, 48))
        image = texture()
        for index in range(num_frames):
            left = 100 - speed * index
            writer.write(image[40:88, left : left + 64])
        writer.release()
        return path

    return make


@pytest.fixture
def videos(tmp_path, make_video) -> list[Path]:
    """Three videos of 8, 9 and 10 frames."""
    folder = tmp_path / 'P01' / 'videos'
    return [make_video(folder / f'P01_10{i}.MP4', 8 + i, 1 + i) for i in range(3)]


@pytest.fixture
def truncated(tmp_path, videos) -> Path:
    """A video of which only the first half arrived."""
    path = videos[0].with_name('P01_109.MP4')
    data = videos[2].read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path
