"""Something-Else's boxes: what the owners' JSON says comes out, and damage is named.

The test of the real file needs `MMDISTILL_STHELSE_ANNOTATIONS=<folder with annotations.json>`.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from mmdistill.modalities.box_annotations import HAND, OBJECT, BoxAnnotations


def box(x1=10, y1=20, x2=30, y2=60, **more):
    return dict(box2d=dict(x1=x1, y1=y1, x2=x2, y2=y2), **more)


def frame(video, number, *labels):
    # As published: a list before `labels`, which must not be taken for another video.
    return dict(gt_placeholders=['pillow'], labels=list(labels), name=f'{video}/{number:04d}.jpg')


@pytest.fixture
def content():
    hand, pillow = box(standard_category='hand'), box(standard_category='0001', category='pillow')
    return {
        '2': [frame('2', 1, hand, pillow), frame('2', 2), frame('2', 5, pillow)],
        '151201': [frame('151201', 1, box(category='hand'), box(category='hand cream'))],
    }


def annotations(folder, content, indent=None, name='boxes.json'):
    (folder / name).write_text(json.dumps(content, indent=indent))
    return BoxAnnotations(folder / name)


@pytest.mark.parametrize('indent', [None, 1])
def test_boxes_by_frame(tmp_path, content, indent):
    found = annotations(tmp_path, content, indent)
    assert found.video_ids == ['2', '151201']
    assert found.has('2') and not found.has('3')
    boxes = found.read('2')
    assert list(boxes) == [0, 1, 4]
    np.testing.assert_array_equal(
        boxes[0], [[10, 20, 30, 60, 1, HAND], [10, 20, 30, 60, 1, OBJECT]]
    )
    assert boxes[1].shape == (0, 6) and boxes[4][0, 5] == OBJECT


def test_the_first_release_names_the_hand_as_a_category(tmp_path, content):
    assert annotations(tmp_path, content).read('151201')[0][:, 5].tolist() == [HAND, OBJECT]


def test_parts_in_a_folder(tmp_path, content):
    for number, (video, frames) in enumerate(content.items()):
        annotations(tmp_path, {video: frames}, name=f'part{number}.json')
    found = BoxAnnotations(tmp_path)
    assert set(found.video_ids) == set(content)
    assert len(found.read('151201')) == 1


def test_corners_in_the_other_order_and_scores(tmp_path):
    drawn = box(x1=30, x2=10, y1=60, y2=20, standard_category='0000', score=0.25)
    found = annotations(tmp_path, {'7': [frame('7', 1, drawn)]})
    np.testing.assert_array_equal(found.read('7')[0], [[10, 20, 30, 60, 0.25, OBJECT]])


class TestBadInput:
    def test_an_unknown_video(self, tmp_path, content):
        with pytest.raises(KeyError, match=r"boxes\.json has no boxes of video '9'.*2, 151201"):
            annotations(tmp_path, content).read('9')

    def test_nothing_there(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='no box annotation'):
            BoxAnnotations(tmp_path).has('2')
        with pytest.raises(FileNotFoundError, match='gone'):
            BoxAnnotations(tmp_path / 'gone.json').has('2')

    def test_a_file_cut_short(self, tmp_path, content):
        text = json.dumps(content)
        (tmp_path / 'boxes.json').write_text(text[: len(text) // 2])
        with pytest.raises(ValueError, match='cut short'):
            BoxAnnotations(tmp_path / 'boxes.json').has('2')

    def test_a_video_damaged_in_the_middle(self, tmp_path, content):
        text = json.dumps(content).replace('"x1": 10', '"x1": ', 1)
        (tmp_path / 'boxes.json').write_text(text)
        found = BoxAnnotations(tmp_path / 'boxes.json')
        with pytest.raises(ValueError, match=r'boxes\.json, video 2: not JSON'):
            found.read('2')
        assert len(found.read('151201')) == 1

    def test_a_video_that_is_nested_deeply(self, tmp_path):
        text = '{"2": ' + 100_000 * '[' + 100_000 * ']' + ', "3": []}'
        (tmp_path / 'boxes.json').write_text(text)
        with pytest.raises(ValueError, match=r'boxes\.json, video 2: not JSON'):
            BoxAnnotations(tmp_path / 'boxes.json').read('2')

    def test_another_json(self, tmp_path):
        with pytest.raises(ValueError, match='a split or a labels file'):
            annotations(tmp_path, {'Moving something up': 76}).has('2')

    def test_a_video_in_two_files(self, tmp_path, content):
        for name in ('a.json', 'b.json'):
            annotations(tmp_path, content, name=name)
        with pytest.raises(ValueError, match=r"Video '2' is in .*a\.json and in .*b\.json"):
            BoxAnnotations(tmp_path).has('2')

    @pytest.mark.parametrize(
        ('labels', 'message'),
        [
            ([box(standard_category='foot')], r"2/0001.*standard_category 'foot' is unknown"),
            ([box()], 'neither standard_category nor category'),
            ([dict(category='hand')], 'expected "box2d"'),
            ([box(x1='left', category='hand')], 'expected "box2d" with numbers'),
            ([box(x1=float('nan'), category='hand')], 'expected "box2d" with numbers'),
            ([box(y2=float('inf'), category='hand')], 'expected "box2d" with numbers'),
            ([box(y2=10**400, category='hand')], 'expected "box2d" with numbers'),
            ([box(category='hand', score=2)], 'a score from 0 to 1'),
        ],
    )
    def test_a_box_of_another_kind(self, tmp_path, labels, message):
        with pytest.raises(ValueError, match=message):
            annotations(tmp_path, {'2': [frame('2', 1, *labels)]}).read('2')

    @pytest.mark.parametrize(
        'frames',
        [[dict(labels=[])], [dict(name='3/0001.jpg', labels=[])], [dict(name='2/0001.jpg')], [[]]],
    )
    def test_a_frame_of_another_kind(self, tmp_path, frames):
        with pytest.raises(ValueError, match=r'video 2: expected frames with "name": "2/0001'):
            annotations(tmp_path, {'2': frames}).read('2')

    def test_a_frame_twice(self, tmp_path):
        with pytest.raises(ValueError, match='is there twice'):
            annotations(tmp_path, {'2': [frame('2', 1), frame('2', 1)]}).read('2')


REAL = os.environ.get('MMDISTILL_STHELSE_ANNOTATIONS', '')


@pytest.mark.skipif(not REAL, reason='set MMDISTILL_STHELSE_ANNOTATIONS to a folder of the owners')
def test_the_owners_examples():
    path = Path(REAL) / 'annotations.json'
    content = json.loads(path.read_text())
    found = BoxAnnotations(path)
    assert sorted(found.video_ids) == sorted(content)
    for video, frames in content.items():
        boxes = found.read(video)
        assert list(boxes) == [int(f['name'][-8:-4]) - 1 for f in frames]
        assert sum(map(len, boxes.values())) == sum(len(f['labels']) for f in frames)
        hands = sum(x['category'] == 'hand' for f in frames for x in f['labels'])
        assert sum(int((b[:, 5] == HAND).sum()) for b in boxes.values()) == hands
