"""SomethingElseBoxes: human boxes as fractions of the frame, borrowed over small gaps only."""

import json

import cv2
import numpy as np
import pytest

from mmdistill.modalities import SomethingElseBoxes

WIDTH, HEIGHT = 200, 100


def frame(number, *boxes):
    keys = ('x1', 'y1', 'x2', 'y2')
    labels = [
        dict(box2d=dict(zip(keys, corners, strict=True)), standard_category=category)
        for category, corners in boxes
    ]
    return dict(name=f'7/{number:04d}.jpg', labels=labels)


@pytest.fixture
def record(tmp_path):
    frames = [
        frame(1, ('0000', (20, 10, 40, 30)), ('hand', (100, 50, 200, 100))),
        frame(2),
        frame(9, ('hand', (0, 0, 200, 100))),
    ]
    (tmp_path / 'boxes.json').write_text(json.dumps({'7': frames}))
    return dict(
        sample_id='7',
        video_id='7',
        media=dict(obj=str(tmp_path / 'boxes.json')),
        width=WIDTH,
        height=HEIGHT,
    )


def test_boxes_are_fractions_of_the_frame(record):
    boxes = SomethingElseBoxes(max_boxes=3).read(record, np.array([0, 1, 0]))
    assert boxes.shape == (3, 3, 6) and boxes.dtype == np.float32
    expected = [[0.1, 0.1, 0.2, 0.3, 1, 1], [0.5, 0.5, 1, 1, 1, 0], [0, 0, 0, 0, 0, -1]]
    np.testing.assert_allclose(boxes[0], expected, rtol=1e-6)
    np.testing.assert_array_equal(boxes[2], boxes[0])
    assert (boxes[1, :, 5] == -1).all() and not boxes[1, :, :5].any()


def test_small_gaps_borrow_and_large_ones_do_not(record):
    inds = np.array([3, 5, 6, 8, 10, 11, 12])
    counts = {
        gap: (SomethingElseBoxes(max_gap=gap).read(record, inds)[..., 4] > 0).sum(1).tolist()
        for gap in (0, 2, 3)
    }
    # Frames 0, 1 and 8 are annotated, frame 1 as being without boxes.
    assert counts[0] == [0, 0, 0, 1, 0, 0, 0]
    assert counts[2] == [0, 0, 1, 1, 1, 0, 0]
    assert counts[3] == [0, 1, 1, 1, 1, 1, 0]


def test_the_crop_moves_them(record):
    modality = SomethingElseBoxes(max_boxes=2)
    boxes = modality.read(record, np.array([8]))
    moved = modality.move(boxes, np.array([0.0, 0.0, 0.5, 1.0]), True, (8, 8))
    np.testing.assert_allclose(moved[0, 0], [0, 0, 1, 1, 1, 0])


@pytest.mark.parametrize('kind', ['video', 'folder'])
def test_the_size_is_that_of_the_frames(record, tmp_path, kind):
    del record['width'], record['height']
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    if kind == 'folder':
        path = tmp_path / 'frames'
        path.mkdir()
        cv2.imwrite(str(path / '0001.jpg'), image)
    else:
        path = tmp_path / 'clip.mp4'
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 12, (WIDTH, HEIGHT))
        writer.write(image)
        writer.release()
    record['media']['rgb'] = str(path)
    boxes = SomethingElseBoxes().read(record, np.array([0]))
    np.testing.assert_allclose(boxes[0, 0, :4], [0.1, 0.1, 0.2, 0.3], rtol=1e-6)
    assert SomethingElseBoxes().frame_shape(record, boxes) == (HEIGHT, WIDTH)


def test_an_optional_modality_may_lack_a_video(record):
    assert SomethingElseBoxes(optional=True).available(record)
    assert not SomethingElseBoxes(optional=True).available(record | dict(video_id='8'))
    with pytest.raises(KeyError, match="no boxes of video '8'"):
        SomethingElseBoxes().read(record | dict(video_id='8'), np.array([0]))


def test_boxes_of_another_resolution(record):
    with pytest.raises(ValueError, match=r"video '7' reach to 200 x 100 .*frames are 100 x 50"):
        SomethingElseBoxes().read(record | dict(width=100, height=50), np.array([0]))


def test_neither_video_nor_size(record):
    del record['width']
    with pytest.raises(FileNotFoundError, match='frame_counts a CSV with width and height'):
        SomethingElseBoxes().read(record, np.array([0]))


def test_a_damaged_video(record, tmp_path):
    del record['width']
    record['media']['rgb'] = str(tmp_path / 'clip.webm')
    (tmp_path / 'clip.webm').write_bytes(b'no video')
    with pytest.raises(ValueError, match=r'clip\.webm cannot be opened as a video'):
        SomethingElseBoxes().read(record, np.array([0]))
