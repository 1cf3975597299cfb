"""Boxes under crop and flip, worked by hand; detections of a file in a clip."""

import pickle

import numpy as np
import pytest

from mmdistill.datasets.transforms import LoadModalities
from mmdistill.modalities import DetectionModality, move_boxes
from mmdistill.modalities.detection_file import DetectionWriter, VideoDetections
from mmdistill.modalities.detections import pad_rows

WHOLE = np.array([0.0, 0.0, 1.0, 1.0])
RIGHT_HALF = np.array([0.5, 0.0, 1.0, 1.0])
PADDING = [0, 0, 0, 0, 0, -1]


def row(*box: float, score: float = 0.75, label: int = 2, feature: tuple = ()) -> np.ndarray:
    return np.array([*box, score, label, *feature], dtype=np.float32)


@pytest.mark.parametrize(
    ('crop', 'flip', 'expected'),
    [
        (WHOLE, False, (0.6, 0.2, 0.8, 0.6)),
        (WHOLE, True, (0.2, 0.2, 0.4, 0.6)),
        # x: (0.6 - 0.5) / 0.5 and (0.8 - 0.5) / 0.5; y stays.
        (RIGHT_HALF, False, (0.2, 0.2, 0.6, 0.6)),
        (RIGHT_HALF, True, (0.4, 0.2, 0.8, 0.6)),
        # y: (0.2 - 0.1) / 0.4 and (0.6 - 0.1) / 0.4 = 1.25, cut at the lower edge.
        (np.array([0.5, 0.1, 1.0, 0.5]), False, (0.2, 0.25, 0.6, 1.0)),
        (np.array([0.7, 0.0, 0.9, 1.0]), False, (0.0, 0.2, 0.5, 0.6)),
        (np.array([0.7, 0.0, 0.9, 1.0]), True, (0.5, 0.2, 1.0, 0.6)),
    ],
)
def test_box_in_a_crop(crop, flip, expected):
    boxes = row(0.6, 0.2, 0.8, 0.6, feature=(3, 4))
    moved = move_boxes(boxes[None], crop, flip)
    assert moved.dtype == np.float32
    assert moved[0, :4] == pytest.approx(expected, abs=1e-6)
    assert moved[0, 4:].tolist() == [0.75, 2, 3, 4]
    assert np.array_equal(boxes, row(0.6, 0.2, 0.8, 0.6, feature=(3, 4))), 'input was changed'


@pytest.mark.parametrize(
    ('box', 'min_visible', 'kept'),
    [
        ((0.25, 0.25, 0.75, 0.75), 0.5, True),  # half of it lies right of 0.5
        ((0.25, 0.25, 0.75, 0.75), 0.51, False),
        ((0.0, 0.0, 1.0, 1.0), 0.1, True),
        ((0.0, 0.0, 0.5, 1.0), 0.0, False),  # touches the crop's edge from outside
        ((0.0, 0.0, 0.25, 1.0), 0.0, False),
        ((0.6, 0.3, 0.6, 0.5), 0.0, False),  # no area at all
    ],
)
@pytest.mark.parametrize('flip', [False, True])
def test_boxes_that_leave_the_crop_become_padding(box, min_visible, kept, flip):
    moved = move_boxes(row(*box)[None], RIGHT_HALF, flip, min_visible)
    assert (moved[0, 5] == 2) == kept
    if not kept:
        assert moved[0].tolist() == PADDING


def test_padding_stays_padding_and_rows_stay_in_place():
    boxes = np.stack([row(0.6, 0, 0.8, 1), np.float32(PADDING), row(0, 0, 0.2, 1), row(0, 0, 1, 1)])
    moved = move_boxes(np.stack([boxes, boxes[::-1]]), RIGHT_HALF, flip=True)
    assert moved.shape == (2, 4, 6)
    assert moved[0, 1].tolist() == moved[0, 2].tolist() == PADDING
    assert moved[0, :, 4].tolist() == [0.75, 0, 0, 0.75]
    assert np.array_equal(moved[1], moved[0, ::-1])


@pytest.fixture
def record(tmp_path):
    """Frames 0 to 3 of 200 x 100 pixels; frame k has k boxes, the best one at the left."""
    count = np.arange(4)
    boxes = [[20 * k, 0, 20 * k + 20, 50] for number in count for k in range(number)]
    scores = [0.9 - 0.1 * k for number in count for k in range(number)]
    video = VideoDetections(
        width=200,
        height=100,
        num_frames=4,
        stride=1,
        frames_F=count,
        offsets_F1=np.concatenate([[0], np.cumsum(count)]),
        boxes_M4=np.array(boxes, dtype=np.float32),
        scores_M=np.array(scores, dtype=np.float32),
        labels_M=np.zeros(len(boxes), dtype=np.int16),
        features_MD=np.ones((len(boxes), 3)),
    )
    with DetectionWriter(tmp_path / 'detections.h5', ['cup']) as writer:
        writer.write('P01_101', video)
    return dict(
        sample_id='clip',
        video_id='P01_101',
        media=dict(obj=str(tmp_path / 'detections.h5')),
        frame_inds=np.array([0, 1, 3, 3]),
        num_clips=2,
        clip_len=2,
    )


def load(record: dict, geometry: tuple = (), **kwargs) -> np.ndarray:
    modality = dict(type='mmdistill.DetectionModality', max_boxes=2, **kwargs)
    return LoadModalities(dict(obj=modality), geometry=geometry)(dict(record))['obj']


def test_views_of_a_clip(record):
    obj = load(record)
    assert obj.shape == (2, 2, 2, 9) and obj.dtype == np.float32
    best, second = [0, 0, 0.1, 0.5], [0.1, 0, 0.2, 0.5]
    assert obj[0, 0].tolist() == [PADDING + [0] * 3] * 2
    assert obj[0, 1, 0, :4] == pytest.approx(best)
    assert obj[0, 1, 1].tolist() == PADDING + [0] * 3
    assert obj[1, 0, :, :4] == pytest.approx(np.array([best, second]))
    assert obj[1, 0, :, 4] == pytest.approx([0.9, 0.8])
    assert (obj[1, :, :, 6:] == 1).all()


def test_geometry_is_drawn_in_the_frames_of_the_detector(record):
    # 200 x 100 pixels: the middle 100 x 100 hold x from 0.25 to 0.75.
    obj = load(record, [dict(type='CenterCrop', crop_size=100)], min_visible=0.0)
    assert (obj[..., 5] == -1).all(), 'both boxes lie left of the crop'
    obj = load(record, [dict(type='Flip', flip_ratio=1.0)])
    assert obj[1, 0, 0, :4] == pytest.approx([0.9, 0, 1.0, 0.5])


@pytest.mark.parametrize('feature_dims', [0, 3])
def test_absent_detections_are_padding(feature_dims):
    modality = DetectionModality(max_boxes=2, feature_dims=feature_dims, optional=True)
    expected = np.tile(np.float32(PADDING + [0] * feature_dims), (4, 2, 1))
    assert np.array_equal(modality.missing(4, (64, 64)), expected)
    assert modality.missing(4, (64, 64)).dtype == np.float32


def test_file_of_another_data_set(record):
    record['video_id'] = 'P99_101'
    with pytest.raises(KeyError, match=r"detections\.h5 holds no detections of video 'P99_101'"):
        load(record)


def test_optional_detections_of_a_video_that_the_file_lacks(record):
    record['video_id'] = 'P99_101'
    assert DetectionModality(optional=True).available(record) is False
    record['video_id'] = 'P01_101'
    assert DetectionModality(optional=True).available(record) is True


def test_an_opened_file_does_not_follow_into_a_worker(record):
    modality = DetectionModality(max_boxes=2)
    before = modality.read(record, record['frame_inds'])
    copy = pickle.loads(pickle.dumps(modality))
    assert np.array_equal(copy.read(record, record['frame_inds']), before)


def test_doubtful_boxes_become_padding():
    boxes = np.array([[0.1, 0.1, 0.5, 0.5, 0.29, 3], [0.2, 0.2, 0.6, 0.6, 0.31, 4]], np.float32)
    padded = pad_rows(boxes.copy(), boxes[:, 4] < 0.3)
    assert padded[0].tolist() == [0, 0, 0, 0, 0, -1]
    assert padded[1].tolist() == boxes[1].tolist()


@pytest.mark.parametrize(
    ('box', 'score'),
    [
        ([0.6, 0.7, 0.2, 0.3], 0.9),  # inverted in both axes: its area is positive
        ([0.6, 0.2, 0.2, 0.3], 0.9),
        ([0.2, 0.2, 0.2, 0.3], 0.9),
        ([np.nan, 0.2, 0.4, 0.3], 0.9),
        ([0.1, 0.2, 0.4, 0.3], np.nan),
        ([0.1, 0.2, 0.4, 0.3], -0.5),
    ],
)
@pytest.mark.parametrize('flip', [False, True])
def test_what_is_no_box_never_reaches_the_model(box, score, flip):
    """Whichever modality has read it."""
    good = [0.1, 0.2, 0.4, 0.3, 0.5, 1]
    boxes = np.array([[[*box, score, 2], good]], np.float32)
    moved = move_boxes(boxes, np.array([0, 0, 1, 1.0]), flip)[0]
    assert moved[0].tolist() == [0, 0, 0, 0, 0, -1]
    assert moved[1, 4:].tolist() == [0.5, 1]
