"""LayoutBoxes: the paper's lists of boxes, in both forms, as fractions of the video."""

import json

import numpy as np
import pytest

from mmdistill.modalities import LayoutBoxes

CUP = dict(x1=20, y1=10, x2=40, y2=30, category='object', score=0.75)
HAND = dict(x1=100, y1=50, x2=200, y2=100, category='right hand', score=0.5)


@pytest.fixture
def write(tmp_path):
    def make(*entries, name='train_dataset.json', indent=None):
        (tmp_path / name).write_text(json.dumps(entries, indent=indent))
        media = dict(obj=str(tmp_path if name == 'parts' else tmp_path / name))
        return dict(sample_id='7', video_id='7', media=media)

    return make


def entry(name='7', frames=((CUP, HAND), (), (HAND,)), **more):
    return dict(id=name, template='Doing [something]', frames=[list(f) for f in frames], **more)


@pytest.mark.parametrize('indent', [None, 1])
def test_boxes_are_fractions_of_the_size_in_the_list(write, indent):
    record = write(entry('6', size=[9, 9]), entry(size=[200, 100]), entry('77'), indent=indent)
    modality = LayoutBoxes(max_boxes=3, max_gap=0)
    boxes = modality.read(record, np.array([0, 1, 2]))
    expected = [[0.1, 0.1, 0.2, 0.3, 0.75, 1], [0.5, 0.5, 1, 1, 0.5, 0], [0, 0, 0, 0, 0, -1]]
    np.testing.assert_allclose(boxes[0], expected)
    assert (boxes[..., 4] > 0).sum(1).tolist() == [2, 0, 1]
    assert modality.frame_shape(record, boxes) == (100, 200)


def test_the_earlier_lists_have_no_size(write):
    frames = [dict(frame_objects=[HAND])]
    record = write(dict(id='7', template='x', frames=frames)) | dict(width=400, height=200)
    boxes = LayoutBoxes(max_boxes=1).read(record, np.array([0]))
    np.testing.assert_allclose(boxes[0, 0], [0.25, 0.25, 0.5, 0.5, 0.5, 0])
    with pytest.raises(FileNotFoundError, match='how large its frames are cannot be seen'):
        LayoutBoxes().read(write(entry()), np.array([0]))


def test_training_and_validation_in_a_folder(write, tmp_path):
    write(entry('8', size=[200, 100]), name='train_dataset.json')
    record = write(entry(size=[200, 100]), name='val_dataset.json')
    record['media']['obj'] = str(tmp_path)
    assert LayoutBoxes().read(record, np.array([0])).any()
    assert LayoutBoxes().read(record | dict(video_id='8'), np.array([0])).any()
    with pytest.raises(KeyError, match="no boxes of video '9'; its 2 videos are 8, 7"):
        LayoutBoxes().read(record | dict(video_id='9'), np.array([0]))


class TestBadInput:
    @pytest.mark.parametrize(
        ('entries', 'message'),
        [
            ([dict(name='7')], "of the paper's authors: found no entry of a video, expected"),
            ([dict(id='7', template='x')], r'video 7: expected "frames"'),
            ([entry(frames=[])] * 2, 'has 1 videos twice'),
            ([dict(entry(), frames=[3])], r'video 7, frame 0: expected a list of boxes, got 3'),
            ([entry(frames=[[dict(HAND, x1='left')]])], r'video 7, frame 0: expected "box2d"'),
            ([entry(size=[50, 25])], 'reach to 200 x 100 pixels, but its frames are 50 x 25'),
        ],
    )
    def test_a_list_of_another_kind(self, write, entries, message):
        with pytest.raises(ValueError, match=message):
            LayoutBoxes().read(write(*entries), np.array([0]))

    def test_a_file_cut_short(self, write, tmp_path):
        record = write(entry(size=[200, 100]))
        path = tmp_path / 'train_dataset.json'
        path.write_text(path.read_text()[:-20])
        with pytest.raises(ValueError, match='train_dataset.json does not end as JSON does'):
            LayoutBoxes().read(record, np.array([0]))
