"""read_frames: the right frames in order, and a clear error where the video ends too early."""

import cv2
import numpy as np
import pytest
from mmdistill.extraction.video import VideoError, probe_video, read_frames


def test_probe(videos):
    assert probe_video(videos[1]) == (9, 64, 48, 10.0)


def test_selected_frames_are_those_of_a_full_read(videos):
    capture, frames = cv2.VideoCapture(str(videos[0])), []
    while (read := capture.read())[0]:
        frames.append(read[1])
    everything = list(read_frames(videos[0]))
    assert [index for index, _ in everything] == list(range(8)) and len(frames) == 8
    for index, frame in read_frames(videos[0], [0, 3, 7]):
        np.testing.assert_array_equal(frame, frames[index])
    assert [index for index, _ in read_frames(videos[0], np.array([0, 3, 7]))] == [0, 3, 7]
    assert list(read_frames(videos[0], [])) == []


def test_agrees_with_decord_that_reads_rgb_in_training(videos):
    decord = pytest.importorskip('decord')
    reader = decord.VideoReader(str(videos[2]))
    for index, frame in read_frames(videos[2]):
        difference = reader[index].asnumpy()[..., ::-1].astype(int) - frame
        assert np.abs(difference).mean() < 2, index


def test_a_frame_past_the_end_is_an_error(videos):
    with pytest.raises(VideoError, match=r'P01_100\.MP4 ends after 8 frames, 9 are needed'):
        list(read_frames(videos[0], [2, 8]))


def test_truncated_and_missing_videos_are_named(truncated, tmp_path):
    with pytest.raises(VideoError, match=r'P01_109\.MP4 cannot be opened'):
        list(read_frames(truncated))
    with pytest.raises(VideoError, match=r'There is no video .*none\.MP4'):
        probe_video(tmp_path / 'none.MP4')


def test_a_header_that_promises_more_frames_than_there_are(tmp_path, make_video):
    """An AVI's header stands in front, so its truncated file opens and then ends early."""
    whole = tmp_path / 'whole.avi'
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    for _ in range(40):
        writer.write(np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8))
    writer.release()
    cut = tmp_path / 'cut.avi'
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(VideoError, match=r'cut\.avi (ends after \d+ frames|cannot be opened)'):
        list(read_frames(cut))
