"""Which of a record's hints says when its frames are shown."""

import cv2
import numpy as np
import pytest

from mmdistill.modalities.clip_times import times_of_clip
from mmdistill.video import FrameTimes, VideoError


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp('video') / 'ten.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10, (64, 48))
    for _ in range(5):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    return path


def second_of_frame_4(record, **options) -> float:
    return float(times_of_clip(record, **options).at(4))


def test_the_video_counts_more_than_the_rate_of_the_record(video):
    record = dict(media=dict(rgb=str(video)), avg_fps=20.0)
    assert second_of_frame_4(record) == pytest.approx(0.4)
    assert second_of_frame_4(record, fps=8.0) == 0.5


def test_frames_that_are_images_have_the_rate_of_the_record(tmp_path):
    record = dict(media=dict(rgb=str(tmp_path)), avg_fps=20.0)
    assert second_of_frame_4(record) == pytest.approx(0.2)


def test_the_file_itself_is_asked_last():
    own = FrameTimes.constant(2.0)
    assert second_of_frame_4(dict(media={}), own=lambda: own) == 2.0
    assert second_of_frame_4(dict(media={}, avg_fps=4.0), own=lambda: own) == 1.0
    assert times_of_clip(dict(media={})) is None


def test_a_damaged_video_is_named(tmp_path):
    path = tmp_path / 'cut.mp4'
    path.write_bytes(b'no video')
    with pytest.raises(VideoError, match=r'cut\.mp4 cannot be opened'):
        times_of_clip(dict(media=dict(rgb=path)))
