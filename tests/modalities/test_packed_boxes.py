"""PackedBoxes: the paper's pack of hands and objects, in the layout that its reader expects."""

import h5py
import numpy as np
import pytest

from mmdistill.modalities import PackedBoxes

HAND = dict(box=[0.1, 0.2, 0.3, 0.4], category='hand', score=0.5, side=1)
OBJECT = dict(box=[0.5, 0.5, 1.0, 1.0], category='object', score=0.9, state=2)


@pytest.fixture
def write(tmp_path):
    def make(frames):
        with h5py.File(tmp_path / 'boxes.hdf5', 'w') as file:
            for index, content in frames.items():
                # As bytes: the authors' reader strips the b'' of their text.
                file[f'P01_01/{index}'] = np.bytes_(str(content))
        path = str(tmp_path / 'boxes.hdf5')
        return dict(sample_id='n', video_id='P01_01', media=dict(obj=path))

    return make


def test_boxes_by_falling_score(write):
    record = write({10: [HAND, OBJECT], 11: []})
    boxes = PackedBoxes(max_boxes=3, first_index=0).read(record, np.array([10, 11]))
    expected = [[0.5, 0.5, 1, 1, 0.9, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0], [0, 0, 0, 0, 0, -1]]
    np.testing.assert_allclose(boxes[0], expected, rtol=1e-6)
    assert (boxes[1, :, 5] == -1).all() and boxes.dtype == np.float32


def test_gaps_first_index_and_scores(write):
    record = write({10: [HAND, OBJECT]})
    counts = lambda m, i: (m.read(record, np.array(i))[..., 4] > 0).sum(1).tolist()  # noqa: E731
    assert counts(PackedBoxes(max_gap=2, first_index=0), [7, 8, 12, 13]) == [0, 2, 2, 0]
    assert counts(PackedBoxes(max_gap=0, first_index=1), [9, 10]) == [2, 0]
    assert counts(PackedBoxes(min_score=0.6, first_index=0), [10]) == [1]


@pytest.mark.parametrize('first', [0, 1])
def test_the_file_says_from_where_it_counts(write, first):
    record = write({first: [HAND], first + 1: [HAND, OBJECT]})
    boxes = PackedBoxes(max_gap=0).read(record, np.array([0, 1]))
    assert (boxes[..., 4] > 0).sum(1).tolist() == [1, 2]


def test_a_file_that_does_not_say_from_where_it_counts(write):
    with pytest.raises(ValueError, match='neither a frame 0 nor a frame 1.*set first_index'):
        PackedBoxes().read(write({10: [HAND]}), np.array([10]))


def test_an_optional_modality_may_lack_a_video(write):
    record = write({1: []})
    assert PackedBoxes(optional=True).available(record)
    assert not PackedBoxes(optional=True).available(record | dict(video_id='P01_02'))
    with pytest.raises(KeyError, match=r"boxes\.hdf5 has no boxes of video 'P01_02'"):
        PackedBoxes().read(record | dict(video_id='P01_02'), np.array([1]))


@pytest.mark.parametrize(
    'wrong', [dict(box=[0.5, 0.5, 0.2, 0.2]), dict(box=[0.5, 0.5, 0.5, 0.7]), dict(score=1.5)]
)
def test_what_is_no_box_is_left_out(write, wrong):
    boxes = PackedBoxes(max_boxes=2).read(write({1: [dict(HAND, **wrong), OBJECT]}), np.array([0]))
    assert boxes[0, :, 5].tolist() == [1, -1]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ([dict(HAND, category='foot')], r"boxes\.hdf5, /P01_01/1: expected \[.*'foot'"),
        ([dict(box=[0, 0, 1, 1], category='hand')], 'expected'),
        ('__import__("os").getcwd()', 'expected'),
        ('[{', 'expected'),
        ('[' * 100_000, 'expected'),
        ([dict(HAND, box=[0, 0, float('nan'), 1])], 'expected'),
        ([dict(HAND, box=[-100, 0, 0.5, 1])], 'are in pixels'),
        ([dict(HAND, box=[100, 20, 300, 200])], 'are in pixels'),
    ],
)
def test_text_of_another_kind(write, content, message):
    with pytest.raises(ValueError, match=message):
        PackedBoxes().read(write({1: content}), np.array([1]))
