"""EPIC-KITCHENS' hand-object files: decoded as the owners' schema says, and never executed."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from epic_messages import detection, mask, mask_message, message, text

from mmdistill.modalities import EpicHandObjects, EpicObjectMasks, epic_errata
from mmdistill.modalities.epic_box_file import decode_message, read_messages

HAND = text(3, detection((0.1, 0.2, 0.3, 0.4), 0.75, state=3))
OBJECT = text(4, detection((0, 0.5, 1, 1), 0.5))
DOUBTFUL = text(4, detection((0, 0, 1, 1), 0.25))


@pytest.fixture
def write(tmp_path):
    count = iter(range(99))

    def make(content):
        path = tmp_path / f'P01_101_{next(count)}.pkl'
        path.write_bytes(pickle.dumps(content))
        return dict(sample_id='n', video_id='P01_101', media=dict(obj=str(path)))

    return make


def test_hands_and_objects_by_falling_score(write):
    record = write([message(1), message(2, OBJECT, DOUBTFUL, HAND)])
    boxes = EpicHandObjects(max_boxes=3).read(record, np.array([1, 0]))
    expected = [[0.1, 0.2, 0.3, 0.4, 0.75, 0], [0, 0.5, 1, 1, 0.5, 1], [0, 0, 0, 0, 0, -1]]
    np.testing.assert_allclose(boxes[0], expected, rtol=1e-6)
    assert (boxes[1, :, 5] == -1).all() and not boxes[1, :, :5].any()
    assert (EpicHandObjects(min_score=0.1).read(record, np.array([1]))[..., 4] > 0).sum() == 3


def test_frame_numbers_above_one_byte():
    assert decode_message(message(70_000, HAND), 'here').number == 70_000


def test_frames_may_count_from_zero(write):
    record = write([message(0, HAND)])
    assert EpicHandObjects(first_index=0).read(record, np.array([0]))[0, 0, 4] == 0.75
    with pytest.raises(ValueError, match='expected P01_101, frame 1, got P01_101, frame 0'):
        EpicHandObjects().read(record, np.array([0]))


def test_boxes_of_object_masks_have_cocos_labels(write):
    cup, person = mask((0.1, 0.2, 0.3, 0.4), 0.75, 42), mask((0, 0.5, 1, 1), 0.5, 1)
    record = write([mask_message(1), mask_message(2, person, cup)])
    modality = EpicObjectMasks(max_boxes=3)
    boxes = modality.read(record, np.array([1, 0]))
    expected = [[0.1, 0.2, 0.3, 0.4, 0.75, 41], [0, 0.5, 1, 1, 0.5, 0], [0, 0, 0, 0, 0, -1]]
    np.testing.assert_allclose(boxes[0], expected, rtol=1e-6)
    assert (boxes[1, :, 5] == -1).all()
    names = modality.class_names(record)
    assert (len(names), names[0], names[41]) == (80, 'person', 'cup')
    with pytest.raises(ValueError, match='message 0: expected P01_101, frame 1, got .* frame 2'):
        EpicObjectMasks().read(write([mask_message(2, cup)]), np.array([0]))


@pytest.mark.parametrize('category', [0, 81])
def test_a_mask_of_an_unknown_class(write, category):
    record = write([mask_message(1, mask((0, 0, 1, 1), 0.9, category))])
    with pytest.raises(ValueError, match=f'class {category} is not among 1 to 80'):
        EpicObjectMasks().read(record, np.array([0]))


def test_the_first_extraction_of_two_videos_is_refused(write, monkeypatch):
    monkeypatch.setitem(epic_errata.PROPER_LENGTHS, 'P01_101', 2)
    record = write([message(i) for i in range(1, 104)])
    with pytest.raises(ValueError, match=r'pkl is the first extraction of P01_101.*--errata'):
        EpicHandObjects().read(record, np.array([0]))
    assert EpicHandObjects().read(write([message(i) for i in range(1, 103)]), np.array([0])).any()


class Attack:
    """What a hostile file would do when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_file_runs_no_code(write, tmp_path):
    record = write([Attack(tmp_path / 'owned')])
    with pytest.raises(ValueError, match='it wants to import'):
        EpicHandObjects().read(record, np.array([0]))
    assert not (tmp_path / 'owned').exists()


class TestBadInput:
    @pytest.mark.parametrize('content', [{'a': b''}, ['text'], 3])
    def test_another_pickle(self, write, content):
        with pytest.raises(ValueError, match='no list of bytes'):
            EpicHandObjects().read(write(content), np.array([0]))

    @pytest.mark.parametrize('keep', [0, 5, 40])
    def test_a_file_cut_short(self, tmp_path, keep):
        path = tmp_path / 'cut.pkl'
        path.write_bytes(pickle.dumps([message(1, HAND)])[:keep])
        with pytest.raises(ValueError, match=r'cut\.pkl cannot be read'):
            read_messages(path)

    @pytest.mark.parametrize('damaged', [message(1, HAND)[:-3], b'\x0f', b'\x08', b'\x12\x05P'])
    def test_a_damaged_message(self, damaged):
        with pytest.raises(ValueError, match='here is no message'):
            decode_message(damaged, 'here')

    @pytest.mark.parametrize('field', [b'\x10', b'\x18', b'\x1a'], ids=['number', 'box', 'size'])
    def test_a_number_that_does_not_end(self, field):
        """It would be worked on for hours."""
        with pytest.raises(ValueError, match='^file, message 3 .*more than 10 bytes'):
            decode_message(field + b'\xff' * 5_000_000, 'file, message 3')

    def test_a_frame_number_that_is_infinite(self):
        with pytest.raises(ValueError, match='^here is no message'):
            decode_message(b'\x15\x00\x00\x80\x7f', 'here')

    def test_pixels(self):
        pixels = text(4, detection((10, 20, 300, 200), 0.5))
        with pytest.raises(ValueError, match='fractions of the frame, not pixels'):
            decode_message(message(1, pixels), 'here')

    def test_another_video(self, write):
        record = write([message(1, video=b'P02_101')])
        with pytest.raises(ValueError, match='got P02_101, frame 1; correct media'):
            EpicHandObjects().read(record, np.array([0]))

    def test_a_clip_beyond_the_end(self, write):
        with pytest.raises(ValueError, match=r'asks for frame 1, but .* has 1: .*video_info=None'):
            EpicHandObjects().read(write([message(1)]), np.array([1]))
